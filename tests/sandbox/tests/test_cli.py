"""The command line: serving, errors and signals."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest
import requests

from cube_sandbox import Fault
from cube_sandbox.cli import fault, main, trap
from tests.support.sizes import scaled

COMMAND = [sys.executable, "-W", "error", "-c", "from cube_sandbox.cli import main; main()"]


@pytest.mark.parametrize("number", scaled([signal.SIGINT], [signal.SIGTERM, signal.SIGINT]))
def test_serve_responds_until_a_signal(number: signal.Signals) -> None:
    """It prints address and credentials as one line; a signal ends it without output."""
    options = ["serve", "--json", "--customers", "3", "--trap", "next_host=demo.example.org"]
    options += [
        "--fault",
        "429@1:retry_after=2",
        "--page-size",
        "2",
        "--forbidden",
        "assignments/12",
    ]
    with subprocess.Popen(  # noqa: S603 - our own command
        [*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        shown = json.loads(process.stdout.readline())
        headers = {"Authorization": f"Token {shown['token']}"}
        url = f"{shown['url']}/api/v1/assignments/9/customers/"
        assert requests.get(url, headers=headers, timeout=60).headers["Retry-After"] == "2"
        page = requests.get(url, headers=headers, timeout=60).json()
        assert (page["count"], len(page["results"])) == (3, 2)
        assert page["next"].startswith("http://demo.example.org/")
        other = requests.get(url.replace("/9/", "/12/"), headers=headers, timeout=60)
        assert other.status_code == 403
        process.send_signal(number)
        assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["serve", "--trap", "nope"], "argument --trap: there is no trap 'nope'."),
        (["serve", "--trap", "numbers=x"], "Trap numbers cannot be 'x'"),
        (["serve", "--trap", "numbers"], "trap 'numbers' needs a value."),
        (["serve", "--fault", "eaten"], "'eaten' is not a kind of fault"),
        (["serve", "--fault", "500:colour=red"], "unexpected keyword argument 'colour'"),
        (["serve", "--generation", "1999"], "invalid choice: '1999'"),
        (["serve", "--customers", "many"], "invalid int value: 'many'."),
        (["serve", "--port", "99999"], "'99999' is no port from 0 to 65535."),
        ([], "required: serve|demo."),
    ],
)
def test_wrong_options_are_a_one_line_error(
    capsys: pytest.CaptureFixture[str], options: list[str], sentence: str
) -> None:
    """No usage, no traceback, exit code 2."""
    with pytest.raises(SystemExit) as end:
        main(options)
    assert end.value.code == 2
    complaint = capsys.readouterr().err
    assert sentence in complaint
    assert complaint.count("\n") == 1


def test_faults_and_traps_are_parsed() -> None:
    """The command line can express the faults and traps that Python can."""
    date = "Wed, 21 Oct 2026 07:28:00 GMT"
    assert fault(f"503@1,4:retry_after={date}") == Fault(
        "503", at=frozenset({1, 4}), retry_after=date
    )
    assert fault("stall:page=2:share=0.02:row=C2:times=3:seconds=1.5") == Fault(
        "stall", page=2, share=0.02, row="C2", times=3, seconds=1.5
    )
    assert trap("bare_list") == ("bare_list", True)
    assert trap("mistyped=0.1") == ("mistyped", 0.1)
    assert trap("empty_customs=") == ("empty_customs", "")
