/** 계정 페이지에서만 쓰는 한국어 문구. */
export default {
  account_title: "내 계정",
  account_says: "다른 사이트에서 로그인한 뒤 이곳으로 돌아옵니다.",
  account_sign_out: "로그아웃",
  account_none: "이곳에는 로그인할 곳이 없습니다.",
  account_later: "지금은 로그인할 수 없습니다. 잠시 후 다시 시도해 주세요.",
  account_refused: "로그인하지 못했습니다. 로그인이 거절되었거나 중단되었습니다.",
  account_not_ours: "이 탭에서 시작한 로그인이 아니거나 이미 사용되었습니다. 다시 시작해 주세요.",
};
