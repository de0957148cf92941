"""What a reader gained and lost by being taught, in words."""

from mnistry.runs import RunFolder


def told(run: RunFolder) -> str:
    """What was gained and what was lost, in words."""
    figures = run.figures
    lines = []
    if apart := figures["kept_apart"]:
        before, after = apart["before"], apart["after"]
        lines.append(
            f"{after['pictures']:,} pictures kept apart: exact {before['exact_rate']:.1%} → "
            f"{after['exact_rate']:.1%} ({len(apart['gained'])} gained, {len(apart['lost'])} lost), "
            f"characters wrong {before['character_errors']:,} → {after['character_errors']:,} of "
            f"{after['characters']:,}"
        )
    else:
        lines.append("no pictures were kept apart: it cannot be told what was gained")
    old = figures["pages_before"]
    lines.append(
        f"pages drawn with the handwriting of others: {old['recall']:.1%} → {figures['recall']:.1%} of "
        f"{figures['n']:,} digits are found and read right; of what is found, {old['precision']:.1%} → "
        f"{figures['precision']:.1%} is right"
    )
    lines.append(f"to read with it: mnistry read --model {run.path} PICTURE")
    return "\n".join([str(run.path), *(f"  {line}" for line in lines)])
