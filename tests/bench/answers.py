"""Prints the scores on the labelled answers: our rules beside "exact address or link", family by family.

Run it from the repository: python -m tests.bench.answers
"""

from tests.answers.cases import cases
from tests.answers.scoring import address_or_link, ours, score


def main() -> None:
    labelled = cases()
    answered = sum(bool(case.responses) for case in labelled)
    print(f"{len(labelled)} cases, {answered} of them with answers")
    found = {"ours": score(ours, labelled), "address or link": score(address_or_link, labelled)}
    for name, result in found.items():
        print(f"\n{name}")
        print(f"  reminded although they answered: {result.pestered.total()} of {result.answered}")
        print(f"  silent and reminded:             {result.silent_reminded:.1%} of {result.silent}")
        for family in sorted({*result.pestered, *result.passed_over}):
            told = f"{result.pestered[family]} reminded, {result.passed_over[family]} passed over"
            print(f"    {family:<32} {told}")


if __name__ == "__main__":
    main()
