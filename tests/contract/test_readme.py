"""The README's table of RPCs: the contract's, with the policy's callers. This module, run, prints it."""

from pathlib import Path

from tests.contract import CONTRACT
from traffic_tacos.calls.policy import ADMIN, FAN, POLICY, PUBLIC, SERVICE

README = Path(__file__).parents[2] / "README.md"
WHO = {PUBLIC: "everybody", FAN: "fans", SERVICE: "services", ADMIN: "administrators"}


def table() -> str:
    lines = ["| Service | RPC | For |", "|---|---|---|"]
    last = ""
    for rpc in CONTRACT.rpcs:
        roles = POLICY[rpc.path.removeprefix("/")]
        shown = f"`{rpc.service}`" if rpc.service != last else ""
        last = rpc.service
        lines.append(f"| {shown} | {rpc.name} | {WHO[roles]} |")
    return "\n".join(lines)


def test_the_readme_says_which_rpcs_are_served():
    assert table() in README.read_text()


if __name__ == "__main__":
    print(table())
