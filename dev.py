#!/usr/bin/env python3
"""Run the app or check the repository, with nothing but Python, a package index and, for Azure Storage, Node.js.

  python3 dev.py start [OPTIONS]   serve the app on http://localhost:7071
                                   (options of `durable-status start`: --port, --storage, --extension ...);
                                   with --storage azure it runs Azurite, unless AzureWebJobsStorage names an account
  python3 dev.py test              run every gate: lint, format, types, import rules, goldens, tests
  python3 dev.py test PYTEST-ARGS  run only pytest, with these arguments
  python3 dev.py goldens DIR...    put folders of recorded episodes to the engine and print every difference
                                   (--extension 2.13|3: the durable extension they were recorded on)
  python3 dev.py mutations         break the engine in one rule at a time and show that the recordings notice

All make `.venv` beside this file when it is missing and install what the requirement files ask for when those have
changed; what needs Azurite does the same for `node_modules` and package-lock.json. Standard library only; old Pythons
get as far as the line that says which one is needed.
"""

import argparse
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "installed-requirements"
LOCK = ROOT / ".venv.lock"
PROGRAMS = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = PROGRAMS / ("python.exe" if os.name == "nt" else "python")

OLDEST, NEWEST = (3, 11), (3, 13)
REQUIREMENT_FILES = ("requirements.txt", "requirements-dev.txt", "constraints.txt", "pyproject.toml")

NODE_MODULES = ROOT / "node_modules"
NODE_STAMP = NODE_MODULES / "installed-packages"
PACKAGE_FILES = ("package.json", "package-lock.json")
EMULATOR = ("", "usedevelopmentstorage=true")

GATES = (
    ("lint", ["ruff", "check", "."]),
    ("format", ["ruff", "format", "--check", "."]),
    ("types", ["mypy"]),
    ("import rules", ["lint-imports"]),
    ("goldens", ["python", "-m", "tests.check_goldens", "tests/goldens/replay"]),
)
INTERRUPTED = 130

# What pip and npm say when a cause outside the repository is to blame, and what to do about it.
CAUSES = (
    (("No space left", "ENOSPC"), "the disk is full; free some room and try again."),
    (
        ("Permission denied", "Read-only file system", "EACCES", "EROFS"),
        "the folder cannot be written; check its permissions.",
    ),
    (
        ("NewConnectionError", "Connection refused", "Name or service not known", "Network is unreachable"),
        "no package index can be reached; check the network, or name one in PIP_INDEX_URL.",
    ),
    (("No matching distribution", "Could not find a version"), "the package index lacks a package; see PIP_INDEX_URL."),
    (
        ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ENETUNREACH", "ETIMEDOUT", "ERR_SOCKET_TIMEOUT"),
        "no npm registry can be reached; check the network, or name one in NPM_CONFIG_REGISTRY.",
    ),
    (("E404", "ETARGET"), "the npm registry lacks a package; see NPM_CONFIG_REGISTRY."),
)


class Stop(Exception):
    """Ends the command with one line."""


def main(arguments):
    command, rest = (arguments[0] if arguments else ""), arguments[1:]
    if command in ("-h", "--help", "help") or (command == "test" and rest in (["-h"], ["--help"])):
        print(__doc__.strip())
        return 0
    if command not in COMMANDS:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    try:
        check_python()
        make_environment()
        return COMMANDS[command](rest)
    except Stop as reason:
        print("dev.py: {}".format(reason), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndev.py: stopped.", file=sys.stderr)
        return INTERRUPTED


def check_python():
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    wanted = "{}.{} to {}.{}".format(*(OLDEST + NEWEST))
    line = "this needs Python {}, and {} is {}.{}.{}.".format(wanted, sys.executable, *sys.version_info[:3])
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        name = "python3.{}".format(minor)
        if shutil.which(name):
            raise Stop("{} Run: {} dev.py {}".format(line, name, " ".join(sys.argv[1:])))
    raise Stop("{} Install one and run dev.py with it.".format(line))


def make_environment():
    """Make `.venv` what the requirement files ask for; one dev.py at a time."""
    wanted = fingerprint()
    if is_ready(wanted):
        return
    with exclusive_lock():
        if is_ready(wanted):  # another dev.py has just made it
            return
        if not venv_works():
            make_venv()
        with contextlib.suppress(FileNotFoundError):
            STAMP.unlink()
        say("Installing what requirements-dev.txt asks for; the first time takes about a minute ...")
        pip("-r", str(ROOT / "requirements-dev.txt"))
        pip("--no-deps", "--no-build-isolation", "--editable", str(ROOT))
        STAMP.write_text(wanted)


def fingerprint():
    digest = hashlib.sha256(sys.version.encode())
    for name in REQUIREMENT_FILES:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def is_ready(wanted):
    return PYTHON.is_file() and STAMP.is_file() and STAMP.read_text() == wanted


def venv_works():
    """Whether `.venv` has an interpreter that runs, of the version that runs this."""
    script = "import sys; print(sys.version)"
    try:
        answer = subprocess.run([str(PYTHON), "-c", script], stdout=subprocess.PIPE, universal_newlines=True)
    except OSError:
        return False
    return answer.returncode == 0 and answer.stdout.strip() == sys.version


def make_venv():
    say("Making .venv with Python {}.{}.{} ...".format(*sys.version_info[:3]))
    try:
        if VENV.exists():
            shutil.rmtree(str(VENV))
        made = subprocess.run(
            [sys.executable, "-m", "venv", str(VENV)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
        )
    except OSError as error:
        raise Stop(".venv cannot be made: {}.".format(error)) from error
    if made.returncode:
        if "ensurepip" in made.stdout:
            raise Stop("this Python has no venv module that works; on Debian: apt-get install python3-venv.")
        raise Stop(".venv cannot be made: {}".format(last_line(made.stdout)))


def pip(*arguments):
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "2"]
    install("pip", [*command, *arguments])


def make_node_modules():
    """Make `node_modules` what package-lock.json says; one dev.py at a time."""
    wanted = node_fingerprint()
    if has_node_modules(wanted):
        return
    with exclusive_lock():
        if has_node_modules(wanted):
            return
        say("Installing Azurite ...")
        npm = [shutil.which("npm"), "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        install("npm", [*npm, "--fetch-retries=1", "--fetch-retry-mintimeout=1000", "ci"])  # which empties it first
        NODE_STAMP.write_text(wanted)


def node_fingerprint():
    return hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in PACKAGE_FILES)).hexdigest()


def has_node_modules(wanted):
    return NODE_STAMP.is_file() and NODE_STAMP.read_text() == wanted


def missing_for_azurite():
    """What is not in PATH, as a part of a sentence; empty if nothing is missing."""
    missing = [name for name, program in (("Node.js", "node"), ("npm", "npm")) if not shutil.which(program)]
    return " and ".join(missing) + (" are missing" if len(missing) > 1 else " is missing") if missing else ""


def install(program, command):
    done = subprocess.run(
        command, cwd=str(ROOT), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True
    )
    if done.returncode == 0:
        return
    for marks, cause in CAUSES:
        if any(mark in done.stdout for mark in marks):
            raise Stop("packages cannot be installed: {}".format(cause))
    print("\n".join(done.stdout.splitlines()[-20:]), file=sys.stderr)
    raise Stop("packages cannot be installed; {}'s last lines are above.".format(program))


@contextlib.contextmanager
def exclusive_lock():
    try:
        handle = LOCK.open("a")
    except OSError as error:
        raise Stop("{} cannot be written: {}.".format(ROOT, error.strerror)) from error
    with handle:
        if not try_lock(handle):
            say("Waiting for another dev.py to finish installing ...")
            while not try_lock(handle):
                time.sleep(0.2)
        yield


def try_lock(handle):
    """Lock the file until it is closed, by whatever this system has for that."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def start(arguments):
    command = [str(PYTHON), "-m", "durable_status", "start", "--app", str(ROOT), *arguments]
    if wants_azurite(arguments):
        missing = missing_for_azurite()
        if missing:
            raise Stop("Azurite cannot run, {}; install Node.js 18 or newer with npm.".format(missing))
        make_node_modules()
        command = [str(PYTHON), "-m", "durable_status.testing.azurite", str(ROOT), *command]
    sys.stdout.flush()
    if os.name != "nt":
        os.execv(command[0], command)  # the host gets Ctrl-C itself, and nothing stands between it and its parent
    process = subprocess.Popen(command)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the host has got it, too, and is stopping


def wants_azurite(arguments):
    """Whether the host is to use Azure Storage and nobody has named an account."""
    options = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    options.add_argument("--storage", nargs="?")
    if options.parse_known_args(arguments)[0].storage != "azure":
        return False
    settings = dict(local_settings(), **{name.lower(): value for name, value in os.environ.items() if value})
    by_identity = any(value for name, value in settings.items() if name.startswith("azurewebjobsstorage__"))
    return not by_identity and settings.get("azurewebjobsstorage", "").strip().rstrip(";").lower() in EMULATOR


def local_settings():
    try:
        values = json.loads((ROOT / "local.settings.json").read_text(encoding="utf-8-sig"))["Values"]
        return {name.lower(): str(value) for name, value in values.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return {}  # the host says what is wrong with it


def run_tests(arguments):
    missing = missing_for_azurite()
    if missing:
        say("Skipping the tests that need Azurite, as {}; install Node.js 18 or newer with npm.".format(missing))
    else:
        make_node_modules()
    if arguments:
        return subprocess.call([str(PYTHON), "-m", "pytest", *arguments], cwd=str(ROOT))
    failed = [name for name, command in GATES if not run_gate(name, command)]
    began = time.time()
    say("tests ...")
    # A worker that is done takes from the others: some tests kill hosts for a minute.
    if subprocess.call([str(PYTHON), "-m", "pytest", "-q", "-n", "auto", "--dist", "worksteal"], cwd=str(ROOT)):
        failed.append("tests")
    else:
        say("tests: passed ({:.0f} s)".format(time.time() - began))
    if failed:
        raise Stop("failed: {}.".format(", ".join(failed)))
    say("All gates passed{}".format(", but {}: nothing was tested on Azurite.".format(missing) if missing else "."))
    return 0


def check_goldens(arguments):
    return run_module("tests.check_goldens", arguments)


def run_mutations(arguments):
    return run_module("tests.mutations", arguments)


def run_module(name, arguments):
    """Run a module of the repository in the caller's folder, to which paths in `arguments` are relative."""
    environment = dict(os.environ, PYTHONPATH=str(ROOT))
    return subprocess.call([str(PYTHON), "-m", name, *arguments], env=environment)


def run_gate(name, command):
    began = time.time()
    done = subprocess.run(
        [str(PROGRAMS / command[0]), *command[1:]],
        cwd=str(ROOT),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )
    passed = done.returncode == 0
    if not passed:
        print(done.stdout)
    say("{}: {} ({:.0f} s)".format(name, "passed" if passed else "FAILED", time.time() - began))
    return passed


def say(line):
    print(line, flush=True)


def last_line(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason was given."


COMMANDS = {"start": start, "test": run_tests, "goldens": check_goldens, "mutations": run_mutations}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
