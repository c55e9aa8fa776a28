from pathlib import Path


def main(x, context):
    return str(Path(context.function_directory).relative_to(Path(__file__).parents[1]))
