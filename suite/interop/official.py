"""Reads what the official conformance suite printed, and compares its failures with a ledger.

    official.py OUTPUT LEDGER

The ledger holds a line for each scored scenario that is expected to fail: its name, a colon, and why the official suite
is wrong there, by clause. No ledger means that every scored scenario passes. Scenarios that the official suite itself
does not score (extensions, pending ones) are counted, and do not decide.
"""

import pathlib
import re
import sys

output = pathlib.Path(sys.argv[1]).read_text()
ledger = pathlib.Path(sys.argv[2])
expected = {
    line.split(":")[0].strip()
    for line in (ledger.read_text().splitlines() if ledger.exists() else [])
    if ":" in line and not line.startswith("#")
}
summary, _, unscored = output.partition("=== SUMMARY ===")[2].partition("Not scored for")
scenarios = dict(reversed(found) for found in re.findall(r"^([✓✗]) ([\w-]+):", summary, re.M))
aside = set(re.findall(r"^\s+[✓✗] ([\w-]+) \(", unscored, re.M))
scored = {name: mark for name, mark in scenarios.items() if name not in aside}
failed = {name for name, mark in scored.items() if mark == "✗"}
if not scored:
    raise SystemExit(f"the official suite scored nothing; its output is in {sys.argv[1]}")
for name in sorted(failed - expected):
    print(f"fails, and no reason is known: {name}")
for name in sorted(expected - failed):
    print(f"passes, or is gone, against its ledger: {name}")
print(f"{len(scored)} scored scenarios, {len(scored) - len(failed)} pass; {len(aside)} are not scored")
raise SystemExit(failed != expected)
