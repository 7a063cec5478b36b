"""What is run where the validators are installed: `validators.py WHAT` reads JSON, and says what is wrong with each.

Nothing of this project is imported here, and nothing but these validators is there.
"""

import json
import sys


def promql(expression: str) -> str:
    import promql_parser

    try:
        promql_parser.parse(expression)
    except ValueError as error:
        return str(error)
    return ""


KINDS = {"promql": promql}

if __name__ == "__main__":
    json.dump([KINDS[sys.argv[1]](one) for one in json.load(sys.stdin)], sys.stdout)
