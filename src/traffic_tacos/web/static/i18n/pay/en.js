/** What the payment page says in English that needs no JavaScript, besides what all pages say. */
export default {
  pay_left: "When this page was opened, {left} minutes were left to pay.",
  pay_by_card: "Pay by card",
  pay_confirming: "Paid. Your seats are being confirmed.",
  pay_order: "Thank you! Your order is {order}. This page can be closed.",
  pay_ended: "This payment is over",
  pay_other_card: "Try another card",
  pay_bought_already: "These seats are bought already",
  pay_not_charged: "They were paid another way; nothing was charged here.",
  pay_goes_back: "All of this payment goes back to your card.",
  pay_cancelled: "This reservation was cancelled",
  pay_nowhere: "No payment is found at this address. It may be cut off or mistyped.",
};
