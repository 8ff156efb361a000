// Passkeys: asks the browser for a credential, puts it into the form's hidden field and sends the form.
// A form names what it does: data-passkey="sign-in" (options are fetched), "confirm" or "add" (options stand in the
// page as the JSON of #js_data). What goes wrong is said in [data-passkey-says].
(() => {
  "use strict";

  const refusals = {
    NotAllowedError: "The browser was not given a passkey: the request was cancelled or took too long.",
    InvalidStateError: "This passkey is already known here.",
    SecurityError: "Passkeys need https, or the address localhost. Ask whoever looks after Daysheet.",
  };

  const optionsInPage = () => JSON.parse(document.getElementById("js_data").textContent);

  async function signInOptions(form) {
    const answer = await fetch(form.action, { headers: { Accept: "application/json", "X-Requested-With": "XMLHttpRequest" } });
    if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
    return (await answer.json()).request_options;
  }

  function creationOptions(form) {
    const options = optionsInPage().creation_options;
    const wanted = options.publicKey.authenticatorSelection;
    const alone = form.querySelector("[name=passwordless]")?.checked ?? false;
    wanted.residentKey = alone ? "required" : "discouraged";
    wanted.requireResidentKey = alone;
    if (alone) wanted.userVerification = "required";
    return options;
  }

  const ask = {
    "sign-in": async (form) => webauthnJSON.get(await signInOptions(form)),
    confirm: async () => webauthnJSON.get(optionsInPage().request_options),
    add: async (form) => webauthnJSON.create(creationOptions(form)),
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const says = form.querySelector("[data-passkey-says]");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      says.textContent = "";
      try {
        if (!webauthnJSON.supported()) throw new Error("This browser knows no passkeys.");
        form.elements.credential.value = JSON.stringify(await ask[form.dataset.passkey](form));
        form.submit();
      } catch (error) {
        says.textContent = `${refusals[error.name] ?? error.message} Nothing was changed.`;
      }
    });
  }
})();
