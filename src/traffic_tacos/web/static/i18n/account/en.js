/** What the page of the account says in English, besides what all pages say. */
export default {
  account_title: "Your account",
  account_says: "You sign in at another site, and come back here afterwards.",
  account_sign_out: "Sign out",
  account_none: "There is nothing to sign in to here.",
  account_later: "The sign-in cannot be reached right now. Please try again in a moment.",
  account_refused: "You are not signed in: the sign-in was refused or stopped.",
  account_not_ours: "This sign-in was not begun in this tab, or it was used already. Please begin again.",
};
