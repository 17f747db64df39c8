"""Every row: a token and a key set of the documented form, with keys of the tests, and invalid variants of it."""

from __future__ import annotations

import rows_of_entra
import rows_of_login_issuers
import rows_of_other_issuers
import rows_of_workload_issuers
from issuer_row import Row

ROWS: dict[str, Row] = {
    **rows_of_login_issuers.ROWS,
    **rows_of_entra.ROWS,
    **rows_of_workload_issuers.ROWS,
    **rows_of_other_issuers.ROWS,
}
