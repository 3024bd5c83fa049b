// The rows of docs/contract.md: every method, parameter, event, request field and response field of the documented client, read from its
// declarations. Nothing is decided here.
import { fileURLToPath } from "node:url";
import ts from "typescript";

const CONTRACT = fileURLToPath(new URL("../../types/contract/headless-client.d.ts", import.meta.url));
const DECLARATIONS = fileURLToPath(new URL("../../../pkg-template/index.d.ts", import.meta.url));

/** Interfaces that are read as a whole elsewhere, or are no data. */
const NO_DATA = new Set(["Client", "ClientOption", "CobrowseOption", "CobrowseMessages", "TokenResponse", "PackageExports"]);

const parse = (file) => ts.createSourceFile(file, ts.sys.readFile(file), ts.ScriptTarget.ES2022, true);

/** `{ id, kind }` of every row, in the order of the declarations. */
export function contractRows() {
  const interfaces = new Map(parse(CONTRACT).statements.filter(ts.isInterfaceDeclaration).map((declared) => [declared.name.text, declared]));
  const rows = new Map();
  const add = (id, kind) => {
    if (!rows.has(id)) rows.set(id, { id, kind });
  };
  for (const member of interfaces.get("Client").members) {
    const name = member.name.text;
    if (ts.isPropertySignature(member)) {
      add(`client.${name}`, "method");
      addFields("Chat", "response");
      continue;
    }
    add(`${name}()`, "method");
    for (const parameter of member.parameters) {
      const typed = referenced(parameter.type).filter((type) => interfaces.has(type) && !NO_DATA.has(type));
      // A whole message comes from the gateway; what is read of it is seen in what the call gives.
      if (typed.length === 0 || typed.includes("MessageResponse")) add(`${name}(${parameter.name.text})`, "request");
      else for (const type of typed) addFields(type, "request");
    }
    for (const type of referenced(member.type)) if (interfaces.has(type) && !NO_DATA.has(type)) addFields(type, "response");
  }
  for (const name of eventNames()) add(name, "event");
  return [...rows.values()];

  function addFields(type, kind) {
    const declared = interfaces.get(type);
    for (const member of declared.members) addMember(`${type}.${member.name?.getText() ?? "*"}`, member, kind);
  }

  function addMember(id, member, kind) {
    // An open map has no fields of its own, and a method of an object is a method.
    if (ts.isIndexSignatureDeclaration(member)) return id.startsWith("SurveyAnswers") ? add(id, kind) : undefined;
    if (ts.isMethodSignature(member)) return add(`${id}()`, "method");
    const literal = inlineObject(member.type);
    if (literal) {
      for (const inner of literal.members) addMember(`${id}.${inner.name.getText()}`, inner, kind);
      return undefined;
    }
    const typed = referenced(member.type).filter((type) => interfaces.has(type) && !NO_DATA.has(type));
    if (typed.length === 0) return add(id, kind);
    for (const type of typed) if (!id.startsWith(`${type}.`)) addFields(type, kind);
    return add(id, kind);
  }
}

/** The documented events: those of the package that are not beyond the vendor. */
function eventNames() {
  const map = parse(DECLARATIONS).statements.find((statement) => statement.name?.text === "ClientEventMap");
  const isDocumented = (member) => !ts.getJSDocCommentsAndTags(member).some((comment) => /Beyond the vendor/u.test(comment.getText()));
  return map.members.filter(isDocumented).map((member) => member.name.text);
}

/** The names of the types that a type speaks of. */
function referenced(type) {
  const names = [];
  const visit = (node) => {
    if (ts.isTypeReferenceNode(node)) names.push(node.typeName.getText());
    node.forEachChild(visit);
  };
  if (type) visit(type);
  return names;
}

/** `{ … }`, or an array of it. */
function inlineObject(type) {
  if (!type) return undefined;
  if (ts.isArrayTypeNode(type)) return inlineObject(type.elementType);
  return ts.isTypeLiteralNode(type) ? type : undefined;
}
