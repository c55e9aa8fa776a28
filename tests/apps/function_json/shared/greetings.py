def greet(name: str) -> str:
    return f"Hello {name} from {__name__}"
