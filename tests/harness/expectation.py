"""What an expect.json asks for, and whether a report meets it.

This file knows the formats of both and starts no programs; e2e.py does.
"""

import re

# A finding below these does not fail a run and is not asked for.
SEVERITIES_THAT_COUNT = ("error", "warning")


def marked_lines(source, marker):
    """Numbers of the lines of the file `source` that carry the comment /* marker */."""
    mark = re.compile(r"/\*\s*%s\b[^*]*\*/" % re.escape(marker))
    with open(source, encoding="utf-8") as text:
        lines = [number for number, line in enumerate(text, 1) if mark.search(line)]
    if not lines:
        raise ValueError(f"{source} has no line marked /* {marker} */")
    return lines


def as_list(value):
    return value if isinstance(value, list) else [value]


def strip_arguments(function):
    """The name without namespace, template and parameters: worker(int) -> worker."""
    name = (function or "?").split("(")[0].split("<")[0]
    return name.split("::")[-1]


def describe(finding):
    place = finding.get("place") or {}
    return (f"{finding.get('severity')} {finding.get('rule')} in {place.get('function')} "
            f"at {place.get('file')}:{place.get('line')}: {finding.get('title')}")


def place_differs(want, place, source):
    """None, or how the place differs from what is wanted: function, and line by its marker."""
    place = place or {}
    if "function" in want and strip_arguments(place.get("function")) not in as_list(want["function"]):
        return f"function is {place.get('function')}, not {want['function']}"
    if "marker" in want:
        lines = [n for m in as_list(want["marker"]) for n in marked_lines(source, m)]
        if place.get("line") not in lines:
            return f"line is {place.get('line')}, not one of {lines} ({want['marker']})"
    return None


def stack_differs(want, finding, source):
    """Whether a stack of that role passes through the wanted place, at any depth."""
    reasons = []
    for stack in finding.get("stacks", []):
        if stack.get("role") not in as_list(want["role"]):
            continue
        for frame in stack.get("frames", []):
            reason = place_differs(want, frame, source)
            if reason is None:
                return None
            reasons.append(reason)
    return f"no stack \"{want['role']}\" at {want}: {reasons}"


def within(bounds, value):
    low, high = bounds
    return value is not None and low <= value and (high is None or value <= high)


def cost_differs(want, finding):
    """`want`: unit, optionally a part of what it is called, and bounds [low, high or null]."""
    amounts = [c.get("amount") for c in finding.get("cost", [])
               if c.get("unit") == want["unit"] and want.get("what", "") in c.get("what", "")]
    if any(within(want["bounds"], a) for a in amounts):
        return None
    return f"cost {want} is not met by {finding.get('cost')}"


def text_differs(want, finding):
    text = " ".join([finding.get("title", "")] +
                    [str(e.get("text", "")) for e in finding.get("evidence", [])])
    return None if want.lower() in text.lower() else f"\"{want}\" is not said in: {text}"


def finding_differs(want, finding, source):
    """None when `finding` is what `want` asks for, else the first difference."""
    if finding.get("rule") not in as_list(want["rule"]):
        return f"rule is {finding.get('rule')}, not {want['rule']}"
    if finding.get("severity") not in as_list(want.get("severity", "error")):
        return f"severity is {finding.get('severity')}, not {want.get('severity', 'error')}"
    if "confidence" in want and finding.get("confidence") != want["confidence"]:
        return f"confidence is {finding.get('confidence')}, not {want['confidence']}"
    reasons = [place_differs(want, finding.get("place"), source)]
    reasons += [stack_differs(s, finding, source) for s in want.get("stacks", [])]
    if "count" in want and not within(want["count"], finding.get("count")):
        reasons.append(f"count is {finding.get('count')}, not in {want['count']}")
    reasons += [cost_differs(c, finding) for c in want.get("cost", [])]
    reasons += [text_differs(t, finding) for t in as_list(want.get("says", []))]
    return next((r for r in reasons if r), None)


def judge(wanted, findings, source, allowed=()):
    """Lists every difference between the wanted findings and the report; empty when it is met.

    Each finding may answer one wish, and one that counts but answers none is a difference too,
    unless its rule is `allowed`."""
    left = list(findings)
    differences = []
    for want in wanted:
        reasons = {}
        for finding in left:
            reason = finding_differs(want, finding, source)
            if reason is None:
                left.remove(finding)
                break
            reasons[describe(finding)] = reason
        else:
            if want.get("optional"):
                continue
            differences.append(f"missing: {want}")
            differences += [f"    not this: {f}\n        {r}" for f, r in reasons.items()]
    for finding in left:
        if finding.get("severity") in SEVERITIES_THAT_COUNT and finding.get("rule") not in allowed:
            differences.append(f"unexpected: {describe(finding)}")
    return differences
