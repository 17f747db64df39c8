"""What an audit refused, beside what the service decided: python refused.py AUDIT DECISIONS

AUDIT is the output of `watchword audit`, DECISIONS the service's decision log. Each row of the audit that is not valid
is printed with the decisions of the same code on the same token, which both name by its hash.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.dataset as ds


def main(audit: str, decisions: str) -> None:
    log = [json.loads(line) for line in Path(decisions).read_text(encoding="utf-8").splitlines()]
    parts = ds.dataset(sorted(str(path) for path in Path(audit, "parts").glob("*.parquet")))
    for row in parts.to_table(filter=~pc.field("valid")).to_pylist():
        print(f"{row['file']}, row {row['row']}: {row['code']}, token {row['token_id']!r}")
        for decision in log:
            if (decision.get("token_hash"), decision.get("code")) == (row["token_hash"], row["code"]):
                print(f"  {decision['time']} {decision['route']}: {decision['status']}, {decision['detail']}")


if __name__ == "__main__":
    main(*sys.argv[1:])
