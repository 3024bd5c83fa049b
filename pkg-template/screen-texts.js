// What the dialogs and controls of screen share say where the site says nothing else.

/** `$agent` is the agent's name. `masked` follows the first question where no input is shown. */
const TEXTS = {
  en: {
    agent: "the agent",
    confirmSessionTitle: "Share this page?",
    confirmSessionContent: "The agent would see this page and point at things on it. You can stop at any time.",
    masked: "What you type is not shown.",
    confirmRemoteControlTitle: "Allow remote control?",
    confirmRemoteControlContent: "The agent would use this page for you. You can stop at any time.",
    confirmFullDeviceTitle: "Share your whole screen?",
    confirmFullDeviceContent: "The agent would see everything on your screen, not only this page. You can stop at any time.",
    allowText: "Allow",
    denyText: "Do not allow",
    endSessionText: "Stop sharing",
    controls: "Screen share",
    started: "This page is shared with $agent.",
    ended: "This page is no longer shared.",
  },
  it: {
    agent: "l’operatore",
    confirmSessionTitle: "Condividere questa pagina?",
    confirmSessionContent: "L’operatore vedrebbe questa pagina e potrebbe indicare i punti. Può interrompere in qualsiasi momento.",
    masked: "Quello che scrive non viene mostrato.",
    confirmRemoteControlTitle: "Consentire il controllo remoto?",
    confirmRemoteControlContent: "L’operatore userebbe questa pagina al Suo posto. Può interrompere in qualsiasi momento.",
    confirmFullDeviceTitle: "Condividere tutto lo schermo?",
    confirmFullDeviceContent: "L’operatore vedrebbe tutto ciò che è sullo schermo, non solo questa pagina. Può interrompere in qualsiasi momento.",
    allowText: "Consenti",
    denyText: "Non consentire",
    endSessionText: "Interrompi condivisione",
    controls: "Condivisione dello schermo",
    started: "Questa pagina è condivisa con $agent.",
    ended: "Questa pagina non è più condivisa.",
  },
  pt: {
    agent: "o agente",
    confirmSessionTitle: "Partilhar esta página?",
    confirmSessionContent: "O agente veria esta página e poderia apontar para o que está nela. Pode parar a qualquer momento.",
    masked: "O que escreve não é mostrado.",
    confirmRemoteControlTitle: "Permitir o controlo remoto?",
    confirmRemoteControlContent: "O agente usaria esta página por si. Pode parar a qualquer momento.",
    confirmFullDeviceTitle: "Partilhar o ecrã inteiro?",
    confirmFullDeviceContent: "O agente veria tudo o que está no ecrã, não só esta página. Pode parar a qualquer momento.",
    allowText: "Permitir",
    denyText: "Não permitir",
    endSessionText: "Parar de partilhar",
    controls: "Partilha de ecrã",
    started: "Esta página está a ser partilhada com $agent.",
    ended: "Esta página já não está a ser partilhada.",
  },
};

/** `{ lang, texts }` for a language: its own, or English. */
export function textsFor(lang) {
  const own = `${lang ?? ""}`.toLowerCase().split("-", 1)[0];
  const found = Object.hasOwn(TEXTS, own) ? own : "en";
  return { lang: found, texts: TEXTS[found] };
}
