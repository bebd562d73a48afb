"""Keeps what was written by hand when a ledger is written anew: `reasons.py OLD NEW`.

An entry of the new ledger takes over the reason that the old one had for the same check and verdict. An
intermittent entry stays, whether or not it shows this time.
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
    if any("subject" in entry for entry in entries(new.read_text())):
        return differences(old, new)
    reasons = {}
    for entry in entries(old.read_text()):
        reasons.setdefault((entry["check"], entry["verdict"]), []).append(entry)
    intermittent = [entry for entry in entries(old.read_text()) if entry.get("intermittent")]
    text = new.read_text()
    head, *blocks = text.split("[[known]]\n")
    kept = []
    for block, entry in zip(blocks, entries(text), strict=True):
        if any(covers(other, entry) for other in intermittent):
            continue
        before = reasons.get((entry["check"], entry["verdict"]), [])
        # Several entries of one check differ in where they apply.
        best = max(before, key=lambda other: overlap(other, entry), default=None)
        if best:
            lines = [line for line in block.splitlines() if not line.startswith("reason = ")]
            at = next((index for index, line in enumerate(lines) if not line), len(lines))
            lines.insert(at, f"reason = {json.dumps(best['reason'], ensure_ascii=False)}")
            block = "\n".join(lines) + "\n"
        kept.append(block)
    kept = [block if block.endswith("\n\n") else f"{block.rstrip()}\n\n" for block in kept]
    kept.extend(map(written, intermittent))
    new.write_text("[[known]]\n".join([head, *kept]).rstrip() + "\n")


def differences(old: Path, new: Path) -> None:
    """The same for a ledger of differences, whose entries name a kind, a subject and a pointer."""
    name = lambda entry: (entry["kind"], entry["subject"], entry.get("pointer", ""))
    before = {name(entry): entry for entry in entries(old.read_text())}
    found = {name(entry): before.get(name(entry), entry) for entry in entries(new.read_text())}
    comes_and_goes = {key: entry for key, entry in before.items() if entry.get("intermittent")}
    order = ("kind", "subject", "pointer", "intermittent", "reason")
    blocks = [
        "[[known]]\n" + "".join(f"{key} = {json.dumps(entry[key], ensure_ascii=False)}\n" for key in order if key in entry)
        for entry in (found | comes_and_goes).values()
    ]
    new.write_text("\n".join(blocks))


def covers(known: dict, entry: dict) -> bool:
    return (known["check"], known["verdict"]) == (entry["check"], entry["verdict"]) and all(
        set(entry[key]) <= set(known[key]) for key in ("revisions", "transports")
    )


def written(entry: dict) -> str:
    order = ("check", "verdict", "revisions", "transports", "intermittent", "reason")
    lines = (f"{key} = {json.dumps(entry[key], ensure_ascii=False)}" for key in order)
    return "\n".join(lines) + "\n\n"


def overlap(one: dict, other: dict) -> int:
    return sum(
        len(set(one.get(key, [])) & set(other.get(key, []))) for key in ("revisions", "transports")
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
