// The words that may reach the desk's view: elements, attributes and properties. What is not here is no part of the picture. Each list names what a
// static picture of a page needs; whatever loads, runs, navigates, submits or takes the focus is missing from it.

const words = (text) => new Set(text.trim().split(/\s+/u));

/** HTML elements that are shown as they are. */
export const HTML_TAGS = words(`
  html head body title style
  a abbr acronym address article aside b bdi bdo big blockquote br button caption center cite code col colgroup data datalist dd del details dfn dialog
  dir div dl dt em fieldset figcaption figure font footer form h1 h2 h3 h4 h5 h6 header hgroup hr i img input ins kbd label legend li main map area mark
  menu meter nav nobr ol optgroup option output p picture pre progress q rp rt ruby s samp search section select slot small span strike strong sub
  summary sup table tbody td textarea tfoot th thead time tr tt u ul var wbr canvas
`);

/** SVG elements that are shown as they are. Those that animate an attribute could set any of them, and are missing. */
export const SVG_TAGS = words(`
  svg g defs symbol use path rect circle ellipse line polyline polygon text tspan textpath textPath title desc image lineargradient linearGradient
  radialgradient radialGradient stop clippath clipPath mask pattern marker filter feblend feBlend fecolormatrix feColorMatrix fecomponenttransfer
  feComponentTransfer fecomposite feComposite feconvolvematrix feConvolveMatrix fediffuselighting feDiffuseLighting fedisplacementmap
  feDisplacementMap fedistantlight feDistantLight fedropshadow feDropShadow feflood feFlood fefunca feFuncA fefuncb feFuncB fefuncg feFuncG fefuncr
  feFuncR fegaussianblur feGaussianBlur femerge feMerge femergenode feMergeNode femorphology feMorphology feoffset feOffset fepointlight fePointLight
  fespecularlighting feSpecularLighting fespotlight feSpotLight fetile feTile feturbulence feTurbulence foreignobject foreignObject switch style a
`);

/** Elements that show something foreign: a box of their size stands for them. */
export const BOXED_TAGS = words("iframe frame frameset object embed applet video audio portal fencedframe controlledframe webview math");

/** Elements of which nothing is to be seen: an empty, hidden element keeps their place. */
export const HIDDEN_TAGS = words("script noscript template base meta link param source track basefont bgsound noembed noframes");

/** Attributes of any element whose value is only words, numbers or names. */
export const ATTRIBUTES = words(`
  id class title lang dir hidden role alt width height align valign bgcolor color face size border cellpadding cellspacing colspan rowspan span scope
  headers abbr type value placeholder checked selected disabled readonly required multiple min max step minlength maxlength rows cols wrap open start
  reversed label for low high optimum nowrap hspace vspace noshade clear compact datetime inputmode translate popover slot part exportparts pattern
  text vlink alink
`);

/** Attributes of SVG elements, in lower case; their values are read as CSS where they could be CSS. */
export const SVG_ATTRIBUTES = words(`
  viewBox viewbox preserveAspectRatio x y x1 y1 x2 y2 cx cy r rx ry fx fy fr d dx dy points pathLength rotate textLength lengthAdjust startOffset method
  spacing side fill fill-opacity fill-rule stroke stroke-width stroke-linecap stroke-linejoin stroke-miterlimit stroke-dasharray stroke-dashoffset
  stroke-opacity opacity color display visibility overflow transform transform-origin clip-path clip-rule mask filter marker marker-start marker-mid
  marker-end font-family font-size font-style font-weight font-variant font-stretch letter-spacing word-spacing text-anchor text-decoration
  dominant-baseline alignment-baseline baseline-shift writing-mode direction unicode-bidi vector-effect paint-order shape-rendering text-rendering
  image-rendering color-interpolation color-interpolation-filters color-rendering pointer-events mix-blend-mode isolation offset stop-color
  stop-opacity flood-color flood-opacity lighting-color gradientUnits gradientTransform spreadMethod clipPathUnits maskUnits maskContentUnits
  patternUnits patternContentUnits patternTransform markerUnits markerWidth markerHeight refX refY orient filterUnits primitiveUnits in in2 result
  stdDeviation edgeMode type values tableValues slope intercept amplitude exponent mode operator k1 k2 k3 k4 order kernelMatrix divisor bias targetX
  targetY preserveAlpha surfaceScale diffuseConstant specularConstant specularExponent kernelUnitLength azimuth elevation z pointsAtX pointsAtY
  pointsAtZ limitingConeAngle scale xChannelSelector yChannelSelector radius baseFrequency numOctaves seed stitchTiles width height version
`.toLowerCase());

/** What frameworks mark elements with for their style sheets. */
export const SCOPE_ATTRIBUTE = /^(?:_ng(?:host|content)-|data-|aria-|v-|ng-|svelte-|astro-)[\w.:-]{1,100}$/u;

/** Attributes that do something on any element, an own one (`my-element`) included. */
export const ACTIVE_ATTRIBUTE =
  /^(?:on|form|xml|xlink|rr|http|src|href|action|autofocus$|autoplay$|contenteditable$|tabindex$|draggable$|accesskey$|is$|inert$|nonce$|style$|name$|ping$|target$|rel$|command|popovertarget|srcdoc|srcset|poster$|background$|cite$|data$|code|archive|classid|manifest|profile|longdesc|usemap$|enterkeyhint$|virtualkeyboardpolicy$|writingsuggestions$|interestfor$|anchor$|allow|sandbox|csp$|integrity$|crossorigin$|fetchpriority$|loading$|import|slot$|part$|dropzone$|item)/u;

/** Elements that may have a shadow tree; others would make the browser throw. Own elements may, too. */
export const SHADOW_HOSTS = words("article aside blockquote body div footer h1 h2 h3 h4 h5 h6 header main nav p section span");

/** The name of an own element. */
export const OWN_TAG = /^[a-z][a-z0-9._]*-[a-z0-9._-]*$/u;
/** Names with a dash that are SVG's or MathML's, not a site's. */
export const NOT_OWN = words("annotation-xml color-profile font-face font-face-src font-face-uri font-face-format font-face-name missing-glyph");

/** A name that an attribute can have. */
export const ATTRIBUTE_NAME = /^(?:[A-Za-z]|_ng|_cssText$)[\w.:-]{0,100}$/u;
/** A property of a style declaration. */
export const PROPERTY_NAME = /^(?:--[\w-]{1,100}|-?[A-Za-z][\w-]{0,100})$/u;

/** Elements whose id hides a form's or a document's own property of that name. */
export const NAMED_IN_FORMS = words("button fieldset input output select textarea img");
