"""Words that people typed, in tables that a spreadsheet opens."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def guarded_cell(value: object) -> object:
    r"""Returns a cell that no spreadsheet takes for a formula: such words get an apostrophe, numbers stay.

    >>> [guarded_cell(value) for value in ('=HYPERLINK("http://evil")', "-0.02", "left-wing", -3)]
    ['\'=HYPERLINK("http://evil")', '-0.02', 'left-wing', -3]
    """
    if not isinstance(value, str) or not value.lstrip(" ").startswith(_FORMULA) or _is_number(value):
        return value
    return f"'{value}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
