"""Which sign stands before the decimals in a whole table: one column that shows it speaks for those that do not."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .numerals import decimal_sign

LOOKED = 2000  # distinct texts of a column


def sign_of(frame: pd.DataFrame) -> str:
    """ "," where a column of texts shows it, or columns stand between semicolons and none holds a point; "." ; or ""."""
    signs = set()
    if all(isinstance(kind, np.dtype) and kind.kind in "biu" for kind in set(frame.dtypes)):
        return ""
    for j, kind in enumerate(frame.dtypes):
        if pd.api.types.is_object_dtype(kind) or isinstance(kind, pd.StringDtype):
            texts = frame.iloc[:LOOKED, j].dropna()
            signs.add(decimal_sign([text for text in set(map(_plain, texts)) if text]))
        elif pd.api.types.is_float_dtype(kind) and frame.attrs.get("separator") == ";":
            values = frame.iloc[:LOOKED, j].to_numpy(dtype=np.float64, na_value=np.nan) * 1000.0
            if (np.abs(values - np.rint(values)) > 1e-6 * np.abs(values)).any():
                signs.add(".")
    if "," in signs:
        return ","
    return "." if "." in signs else "," if frame.attrs.get("separator") == ";" else ""


def _plain(value: object) -> str:
    return value if isinstance(value, str) else ""
