"""Keeps the reasons that were written by hand when a ledger is written anew: `reasons.py OLD NEW`.

An entry of the new ledger takes over the reason that the old one had for the same check and verdict.
"""

import json
import sys
import tomllib
from pathlib import Path


def entries(text: str) -> list[dict]:
    return tomllib.loads(text).get("known", [])


def main(old: Path, new: Path) -> None:
    if not old.exists():
        return
    reasons = {}
    for entry in entries(old.read_text()):
        reasons.setdefault((entry["check"], entry["verdict"]), []).append(entry)
    text = new.read_text()
    head, *blocks = text.split("[[known]]\n")
    kept = []
    for block, entry in zip(blocks, entries(text), strict=True):
        before = reasons.get((entry["check"], entry["verdict"]), [])
        # Several entries of one check differ in where they apply.
        best = max(before, key=lambda other: overlap(other, entry), default=None)
        if best:
            lines = [line for line in block.splitlines() if not line.startswith("reason = ")]
            at = next((index for index, line in enumerate(lines) if not line), len(lines))
            lines.insert(at, f"reason = {json.dumps(best['reason'], ensure_ascii=False)}")
            block = "\n".join(lines) + "\n"
        kept.append(block)
    new.write_text("[[known]]\n".join([head, *kept]))


def overlap(one: dict, other: dict) -> int:
    return sum(
        len(set(one.get(key, [])) & set(other.get(key, []))) for key in ("revisions", "transports")
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
