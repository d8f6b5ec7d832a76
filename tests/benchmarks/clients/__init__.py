"""The other programs that read the account, each run as a process of its own.

Their packages are locked by `uv pip compile dlt.in -o dlt.txt`, with the options `--universal`,
`--python-version 3.11`, `--no-header`, `--no-annotate` and, for newer ones, `--upgrade`.
"""
