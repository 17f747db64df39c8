"""A local Spark cluster in a process of its own, which audits a log each time that it is asked to.

A process has one Spark: so two of them, with different numbers of executors, take their turns side by side.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from watchword.jwks.archive import KeyArchive
from watchword.testing.token_log import TokenLog


class SparkProcess:
    """A driver with so many executors, of one core and 1 GiB each."""

    def __init__(self, executors: int, directory: Path) -> None:
        self.name = f"Spark, {executors} executor{'s' * (executors > 1)}"
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(executors), str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def count_codes(self) -> dict[str | None, int]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print("count", file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended: is Java 17 installed, and pip install 'watchword[spark]'?")
        return {code or None: count for code, count in json.loads(line)}

    def close(self) -> None:
        self._process.communicate()


def serve(executors: int, directory: str) -> None:
    """Count the codes of the log for each line of standard input."""
    os.environ |= {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    from pyspark.sql import SparkSession

    from watchword.audit import Auditor
    from watchword.audit.auditor import CACHE_BYTES
    from watchword.audit.spark import verify_with

    complete = json.loads(Path(directory, "complete.json").read_text(encoding="utf-8"))
    path = Path(directory, "tokens.parquet").resolve()
    session = (
        SparkSession.builder.master(f"local-cluster[{executors},1,1024]")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.executorEnv.PYTHONPATH", os.environ.get("PYTHONPATH", ""))
        # Four parts for each executor of two, so that both have work to the end.
        .config("spark.sql.files.maxPartitionBytes", str(path.stat().st_size // 8))
        .getOrCreate()
    )
    keys, policy = KeyArchive.open(Path(directory, "keys.ndjson")), TokenLog(complete["parameters"]["rows"]).policy
    df = session.read.parquet(str(path))
    for turn, _ in enumerate(sys.stdin):
        # Another one for each turn: workers keep an Auditor, with the tokens that it has seen, for equal ones.
        auditor = Auditor(keys, policy, cache_bytes=CACHE_BYTES + turn)
        counts = verify_with(auditor, df, token="token", time="used_at").groupBy("code").count().collect()
        print(json.dumps([[row["code"], row["count"]] for row in counts]), flush=True)
    session.stop()


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2])
