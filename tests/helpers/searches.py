"""What a search found, as plain lists."""


def listed(found):
    """Candidates in the form of the definition; what is past the end of a row must be empty."""
    answer = []
    for theirs, common, total in zip(found.theirs, found.common, found.total, strict=True):
        size = int((theirs >= 0).sum())
        assert (theirs[:size] >= 0).all()
        assert (theirs[size:] == -1).all()
        assert not common[size:].any()
        assert not total[size:].any()
        answer.append(list(zip(theirs[:size].tolist(), common[:size].tolist(), total[:size].tolist(), strict=True)))
    return answer


def tuples(pairs):
    columns = (pairs.ours, pairs.theirs, pairs.common, pairs.total)
    return list(zip(*(column.tolist() for column in columns), strict=True))
