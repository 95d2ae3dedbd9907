#!/usr/bin/env python3
"""A peer that fails leaves the comparison, named with its reason, and the others go on.

    peers_test.py tern-benchmark-peers peer-tern.so faulty-peer.so peers_report.py
"""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

LEFT_OUT = {  # format -> product, what the reason says
    "prepare": ("every product", "no such primitive"),
    "forward": ("every product", "no such product"),
    "later": ("forward", "not so many tokens"),
    "copy": ("forward", "an exception that is no std::exception"),
    "wrong": ("every product", "wrong, errors {"),
    "slow": ("forward", "times slower than the fastest"),
    "slow_backward": ("backward", "times slower than the fastest"),
}
MEASURED = {  # format -> (threads, tokens) of forward, and whether backward was measured
    "sound": ({(threads, tokens) for threads in (1, 2) for tokens in (1, 8, 32, 128)}, True),
    "later": ({(1, 1), (1, 8)}, True),
    "copy": (set(), True),
    "slow": (set(), True),
    "slow_backward": ({(threads, tokens) for threads in (1, 2) for tokens in (1, 8, 32, 128)}, False),
}


def main(program, own, faulty, report):
    with tempfile.TemporaryDirectory() as folder:
        broken, out = Path(folder) / "broken.so", Path(folder) / "peers.json"
        broken.write_text("no shared object")
        run = subprocess.run([program, "--shapes", "80x48", "--rounds", "1", "--out", out, own, faulty, broken],
                             capture_output=True, text=True)
        assert run.returncode == 1, (run.returncode, run.stderr)
        said_aloud = run.stderr
        document = json.loads(out.read_text())
        tables = subprocess.run([sys.executable, report, out], capture_output=True, text=True, check=True).stdout

    run = subprocess.run([program, "--shapes", "80x48", "--rounds", "1", own], capture_output=True, text=True,
                         env={**os.environ, "TERN_ISA": "abacus"})
    assert run.returncode == 1 and "left out: peer-tern: TERN_ISA: expected one of " in run.stderr, run.stderr

    assert list(document["peers"]) == ["tern", "faulty"], document["peers"]
    results = document["results"]
    reasons = [(r["peer"], r.get("format"), r.get("product"), r["left_out"]) for r in results if "left_out" in r]
    assert len(reasons) == len(LEFT_OUT) + 1, reasons
    (loaded,) = [r for r in reasons if r[1] is None]
    assert loaded[0] == "broken" and "broken.so: " in loaded[3], loaded
    for peer, format, product, why in reasons:
        if format is not None:
            expected, said = LEFT_OUT[format]
            assert (peer, product) == ("faulty", expected) and said in why and "trace" not in why, (format, product, why)
            assert f"- faulty {format}, {product}, at 80x48: {why}\n" in tables, tables
            assert f"left out: faulty {format}, {product} at 80x48: {why}\n" in said_aloud, said_aloud

    for format in {r["format"] for r in results if r["peer"] == "faulty" and "left_out" not in r} | MEASURED.keys():
        own_results = [r for r in results if r["peer"] == "faulty" and r.get("format") == format and "left_out" not in r]
        forward = {(r["threads"], r["tokens"]) for r in own_results if r["product"] == "forward"}
        assert (forward, any(r["product"] == "backward" for r in own_results)) == MEASURED[format], (format, own_results)
    assert any(r["peer"] == "tern" and r["format"] == "q8" for r in results)

    (summary,) = [line for line in tables.splitlines() if line.startswith("| f32_tiled forward |")]
    assert summary.split(" | ")[-1].startswith("faulty ") and "| -" not in summary, tables
    assert "| q8 forward |" not in tables, "nobody else has it"

    forward = tables[tables.index("Forward, products in fp32") :]
    forward = forward[: forward.index("tern's speed")].splitlines()
    rows = {line.split(" |")[0].lstrip("| "): line for line in forward if line.startswith("| ")}
    assert rows["faulty slow"].count("left out") == 8, tables
    assert rows["faulty later"].count("| -") == 6 and "left out" not in rows["faulty later"], tables
    assert "-" not in rows["tern f32"], tables


if __name__ == "__main__":
    main(*sys.argv[1:])
