// Passkeys, where scripts run and the browser knows them. The code of an authenticator app needs none of this.
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
const text = (buffer) => btoa(Array.from(new Uint8Array(buffer), (one) => String.fromCharCode(one)).join(""))
  .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const keys = (ids) => ids.map((id) => ({ type: "public-key", id: bytes(id) }));

const WHY = {
  NotAllowedError: "Nothing was confirmed. Try again.",
  InvalidStateError: "There is a passkey for your account on this device already.",
  SecurityError: "Passkeys do not work at the address that you opened this page by.",
};

class Said extends Error {}

// What the authenticator is asked: it stands in the page, or the server is asked for it now.
async function question(part, form) {
  const needed = (part.dataset.needs ?? "").split(" ").filter(Boolean);
  const empty = needed.map((name) => form.elements.namedItem(name)).find((one) => !one.value.trim());
  if (empty) {
    empty.focus();
    throw new Said(part.dataset.missing);
  }
  if (part.dataset.asked) return JSON.parse(part.dataset.asked);
  const sent = part.dataset.passkey === "get" ? needed : [];
  const answer = await fetch(part.dataset.begin, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() },
    body: JSON.stringify(Object.fromEntries(sent.map((name) => [name, form.elements.namedItem(name).value]))),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Said(`${said.errors?.[0]?.detail ?? said.title}`.replace(/\.?$/, "."));
  return said;
}

async function get(asked) {
  const found = await navigator.credentials.get({ publicKey: {
    challenge: bytes(asked.challenge),
    rpId: asked.rp_id,
    allowCredentials: keys(asked.credential_ids),
    userVerification: "required",
  } });
  return {
    challenge_id: asked.id,
    credential_id: text(found.rawId),
    client_data: text(found.response.clientDataJSON),
    authenticator_data: text(found.response.authenticatorData),
    signature: text(found.response.signature),
  };
}

async function create(asked) {
  const made = await navigator.credentials.create({ publicKey: {
    challenge: bytes(asked.challenge),
    rp: { id: asked.rp_id, name: asked.rp_name },
    user: { id: bytes(asked.user.id), name: asked.user.name, displayName: asked.user.display_name },
    pubKeyCredParams: asked.algorithms.map((alg) => ({ type: "public-key", alg })),
    excludeCredentials: keys(asked.credential_ids),
    authenticatorSelection: { userVerification: "required", residentKey: "discouraged" },
    attestation: "none",
  } });
  return {
    challenge_id: asked.id,
    credential_id: text(made.rawId),
    client_data: text(made.response.clientDataJSON),
    attestation: text(made.response.attestationObject),
  };
}

function offer(part) {
  const form = part.closest("form");
  const answer = part.querySelector("input");
  const button = part.querySelector("button");
  const problem = part.querySelector("[role=alert]");
  const creates = part.dataset.passkey === "create";

  async function go() {
    button.disabled = true;
    problem.textContent = "";
    try {
      const asked = await question(part, form);
      answer.value = JSON.stringify(creates ? await create(asked) : await get(asked));
      form.requestSubmit();
    } catch (failed) {
      answer.value = "";
      problem.textContent = failed instanceof Said ? failed.message : WHY[failed.name] ?? "This did not work. Try again.";
    } finally {
      button.disabled = false;
    }
  }

  button.addEventListener("click", go);
  // Enter in a field of a form that has no other button.
  if (creates) form.addEventListener("submit", (event) => { if (!answer.value) { event.preventDefault(); go(); } });
  part.hidden = false;
}

if (window.PublicKeyCredential) for (const part of document.querySelectorAll("[data-passkey]")) offer(part);
