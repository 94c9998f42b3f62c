"""Who does not look: the one rule about catch trials, for the server of a study and for answers from anywhere."""

MIN_ANSWERS, MIN_ACCURACY = 4, 0.75  # one slip among four is 75 %: kept


def is_careless(
    num_answers: int, num_right: int, *, min_answers: int = MIN_ANSWERS, min_accuracy: float = MIN_ACCURACY
) -> bool:
    """Whether an annotator's answers are left out, by catch trials alone.

    The numbers are to be fixed before any answer is looked at: chosen afterwards, they choose the result.

    Args:
        num_answers: Of one annotator to trials that anybody who looks gets right.
        num_right: Of these.
        min_answers: Who gave fewer is kept: a slip is no carelessness.
        min_accuracy: Share of right answers, 0 to 1.

    >>> is_careless(4, 2), is_careless(4, 3), is_careless(3, 2), is_careless(0, 0, min_answers=0)
    (True, False, False, False)
    """
    return num_answers >= min_answers and num_right < min_accuracy * num_answers
