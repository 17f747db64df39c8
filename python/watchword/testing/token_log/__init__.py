"""For tests only: a log of access tokens used over a year, with known defects in known numbers.

It is for tests and measurements of audits: every row has a token, the time of its use, and an expected verdict::

    from watchword.testing.token_log import TokenLog

    log = TokenLog(200_000, seed=1)
    log.codes  # how many rows an audit must find with each error code
    for row in log:
        row.token, row.used_at, row.case.code

``python -m watchword.testing.token_log DIRECTORY --rows 200000`` writes it as files, with the archive of the issuers'
keys.
"""

from watchword.testing.token_log.block import Row
from watchword.testing.token_log.cases import Case
from watchword.testing.token_log.key_plan import AUDIENCE, ISSUERS, KeyPlan, PlannedKey
from watchword.testing.token_log.log import TokenLog

__all__ = ["AUDIENCE", "ISSUERS", "Case", "KeyPlan", "PlannedKey", "Row", "TokenLog"]
