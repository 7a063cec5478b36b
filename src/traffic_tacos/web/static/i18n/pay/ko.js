/** 자바스크립트가 필요 없는 결제 페이지에서만 쓰는 한국어 문구. */
export default {
  pay_left: "이 페이지를 열었을 때 남은 결제 시간은 {left}였습니다.",
  pay_by_card: "카드로 결제",
  pay_confirming: "결제되었습니다. 좌석을 확정하고 있습니다.",
  pay_order: "감사합니다! 예매 번호는 {order}입니다. 이 페이지를 닫아도 됩니다.",
  pay_ended: "이 결제는 끝났습니다",
  pay_other_card: "다른 카드로 결제하기",
  pay_bought_already: "이미 구매한 좌석입니다",
  pay_not_charged: "다른 방법으로 결제되었으며 여기에서 결제된 금액은 없습니다.",
  pay_goes_back: "이 결제 금액은 모두 카드로 환불됩니다.",
  pay_cancelled: "취소된 예약입니다",
  pay_nowhere: "이 주소에서 결제를 찾을 수 없습니다. 주소가 잘렸거나 잘못 입력되었을 수 있습니다.",
};
