"""How the simulated bank answers, and the test cards that have it answer so."""

from enum import StrEnum


class Reason(StrEnum):
    """How the simulated bank answers, in the words of card networks."""

    APPROVED = "approved"
    DECLINED = "declined"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    EXPIRED_CARD = "expired_card"
    INCORRECT_CVC = "incorrect_cvc"
    NO_ANSWER = "no_answer"


# Numbers with an answer of their own: those that people know from Stripe's sandbox, and one that nobody answers.
# Any other number that passes Luhn's check leaves it to the scenario.
TEST_CARDS = {
    "4242424242424242": Reason.APPROVED,
    "5555555555554444": Reason.APPROVED,
    "4000000000000002": Reason.DECLINED,
    "4000000000009995": Reason.INSUFFICIENT_FUNDS,
    "4000000000000069": Reason.EXPIRED_CARD,
    "4000000000000127": Reason.INCORRECT_CVC,
    "4000000000000259": Reason.NO_ANSWER,
}
