"""Runs the vectors with the standard library alone, apart from the Java code: python3 pdp-api/src/test/python/vectors.py"""
import base64, hashlib, json, pathlib
from decimal import Decimal

VECTORS = pathlib.Path(__file__).resolve().parents[2] / "main/resources/dev/countersign/api/vectors"

def read(text):
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)

def number(value):
    double = float(value)
    if double in (float("inf"), float("-inf")) or Decimal(repr(double)) != value:
        raise ValueError("a double does not carry this")
    if double == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(double)).normalize().as_tuple()
    digits, sign = "".join(map(str, digits)), "-" if sign else ""
    k, n = len(digits), len(digits) + exponent  # the names of ECMAScript's Number::toString
    if k <= n <= 21:
        return sign + digits + "0" * (n - k)
    if 0 < n <= 21:
        return sign + digits[:n] + "." + digits[n:]
    if -6 < n <= 0:
        return sign + "0." + "0" * -n + digits
    return sign + digits[0] + ("." + digits[1:] if k > 1 else "") + "e" + format(n - 1, "+d")

def jcs(value):
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(jcs(name) + ":" + jcs(value[name]) for name in names) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(jcs, value)) + "]"
    text = number(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)
    return text.encode().decode()  # half a surrogate pair cannot be encoded: a ValueError

def canonical(value):
    try:
        return jcs(value)
    except ValueError:
        return None

def sha256(text):
    return text and base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()

def without(value, paths):
    inner = lambda step: [path[1:] for path in paths if path[:1] == [step]]
    if isinstance(value, dict):
        return {name: without(v, inner(name)) for name, v in value.items() if [name] not in paths}
    if isinstance(value, list):
        return [without(v, inner(str(i))) for i, v in enumerate(value) if [str(i)] not in paths]
    return value

def parts(call):
    context = {n: v for n, v in (call.get("context") or {}).items() if n in call["context_members"]}
    return {"subject": without(call["subject"], [["properties", "act"]]), "action": call["action"], "resource": call["resource"], "context": context}

def digested(call):
    part = "resource" if call["resource"].get("type") == "tool" else "action"
    steps = lambda a: [s.replace("~1", "/").replace("~0", "~") for s in a[1:].split("/")] if a[:1] == "/" else [a]
    whole = {"v": Decimal(1), "tenant": call["tenant"], "actors": call["actors"], **parts(call)}
    return without(whole, [[part, "properties", *steps(argument)] for argument in call["advisory"]])

if __name__ == "__main__":
    wrong, load = [], lambda name: read((VECTORS / name).read_text("utf-8"))
    for v in load("canonical.json"):
        text = canonical(read(v["json"]))
        wrong += [v["name"]] * ((text, sha256(text), text is None) != (v.get("canonical"), v.get("sha256"), "refused" in v))
    for v in load("comparison.json"):
        a, b = canonical(read(v["a"])), canonical(read(v["b"]))
        wrong += [v["name"]] * ((a is not None and a == b) != v["same"])
    calls = {v["name"]: v for v in load("binding.json")}
    for v in calls.values():
        texts, other = [canonical(parts(v["call"])), canonical(digested(v["call"]))], calls[v.get("compared_with", v["name"])]
        found = {"bound": texts[0], "binding_hash": sha256(texts[0]), "digested": texts[1], "digest": sha256(texts[1])}
        good = all(found[key] == v.get(key) for key in found) and (None in texts) == ("refused" in v)
        for key, same in (("binding_hash", "same_binding"), ("digest", "same_digest")):
            good = good and (same not in v or (found[key] is not None and found[key] == other.get(key)) == v[same])
        wrong += [v["name"]] * (not good)
    raise SystemExit("wrong: " + ", ".join(wrong) if wrong else print("all agree"))
