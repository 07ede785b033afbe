#!/usr/bin/env python3
"""Prints true and false positive rates by class of `dewar-audit` on a copy of OWASP BenchmarkPython.

    checks/audit_benchmark.py target/debug/dewar-audit /path/to/BenchmarkPython [--wrong]

Only cases with an odd number are read; the others are kept for judging."""

import collections
import csv
import json
import re
import subprocess
import sys

RELATED = {"78": ["78", "77"], "94": ["94", "95"], "22": ["22", "73"], "79": ["79"], "327": ["328", "327"], "328": ["328", "327"], "330": ["330"], "614": ["614"]}


def main():
    program, folder = sys.argv[1:3]
    with open(f"{folder}/expectedresults-0.1.csv") as file:
        rows = [row for row in csv.reader(file) if row and not row[0].startswith("#")]
    odd = {row[0]: row for row in rows if int(row[0][-5:]) % 2 == 1}
    report = json.loads(subprocess.run([program, "--json", folder], stdout=subprocess.PIPE).stdout)
    found = collections.defaultdict(set)
    for finding in report["findings"]:
        match = re.search(r"BenchmarkTest\d{5}", finding.get("file", ""))
        if match:
            found[match[0]].add(finding["cwe"].removeprefix("CWE-"))
    counts = collections.defaultdict(lambda: [0, 0, 0, 0])
    wrong = []
    for name, (_, kind, real, cwe) in odd.items():
        hit = bool(found[name] & set(RELATED.get(cwe, [cwe])))
        is_real = real == "true"
        counts[kind][(0 if hit else 1) if is_real else (2 if hit else 3)] += 1
        if hit != is_real:
            wrong.append(f"{kind} {name} {'missed' if is_real else 'false'} {sorted(found[name])}")
    total = []
    for kind, (tp, fn, fp, tn) in sorted(counts.items()):
        tpr, fpr = 100 * tp / max(tp + fn, 1), 100 * fp / max(fp + tn, 1)
        total.append(tpr - fpr)
        print(f"{kind:<16} {tp:>3} found {fn:>3} missed {fp:>3} false {tn:>3} silent  TPR {tpr:5.1f}  FPR {fpr:5.1f}  {tpr - fpr:6.1f}")
    print(f"mean of TPR - FPR: {sum(total) / len(total):.1f}; coverage: {report['coverage']['counts']}")
    if "--wrong" in sys.argv:
        print("\n".join(sorted(wrong)))


main()
