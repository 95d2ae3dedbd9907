#pragma once
#include <string_view>

namespace tern::report {

/// Colours of pages and pictures. Teal against brown and the series' hues stay apart for colour-blind eyes
/// (ColorBrewer's BrBG; Okabe and Ito's order of lightness).
inline constexpr std::string_view palette =
    ":root{--paper:#fff;--raised:#f4f6f6;--ink:#1b2023;--muted:#5d676d;--rule:#d9dedf;--band:#e7ecef;--better:#01665e;"
    "--worse:#8c510a;--equivalent:#2166ac;--undecided:#7b3f98;--measured:#5d676d;--void:#1b2023;"
    "--on-pole:#fff;--s0:#2166ac;--s1:#c8553d;--s2:#b8860b;--s3:#7b4f9d;--s4:#4d7c3a;--s5:#5d676d}"
    "@media screen and (prefers-color-scheme:dark){:root{--paper:#14181a;--raised:#1c2124;--ink:#e6eaeb;"
    "--muted:#9aa5aa;--rule:#333b3f;--band:#242c31;--better:#5ab4ac;--worse:#d8a657;--equivalent:#7fb4e6;"
    "--undecided:#c79be0;--measured:#9aa5aa;--void:#e6eaeb;--on-pole:#101314;--s0:#6aa9e0;--s1:#e88a72;--s2:#d9b24c;"
    "--s3:#b796d6;--s4:#8fbf7a;--s5:#9aa5aa}}";

/// What classes mean within pictures.
inline constexpr std::string_view picture_style =
    "svg text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;fill:var(--ink);"
    "font-variant-numeric:tabular-nums}svg text.small{font-size:11px}svg text.tiny{font-size:9.5px}svg "
    ".muted{fill:var(--muted)}"
    "svg text.strong{font-weight:600}svg .on-pole{fill:var(--on-pole)}svg .paper{fill:var(--paper)}"
    "svg .middle{text-anchor:middle}svg .end{text-anchor:end}svg .better{fill:var(--better);stroke:var(--better)}"
    "svg .worse{fill:var(--worse);stroke:var(--worse)}svg rect.better,svg rect.worse{stroke:none}"
    "svg .equivalent{fill:var(--equivalent);stroke:var(--equivalent)}"
    "svg .undecided{fill:var(--undecided);stroke:var(--undecided)}"
    "svg .measured{fill:var(--measured);stroke:var(--measured)}svg .void{fill:var(--void);stroke:var(--void)}"
    "svg path.better,svg path.worse,svg path.equivalent,svg path.undecided,svg path.measured,svg path.void{stroke:none}"
    "svg .band{fill:var(--band)}svg .user{fill:var(--ink);fill-opacity:.25}svg .reach{stroke-width:2.5}"
    "svg .whisker{stroke:var(--ink);stroke-width:1.2}svg .rule{stroke:var(--rule);fill:none}"
    "svg .axis{stroke:var(--muted);fill:none}svg .own{stroke:var(--ink);stroke-width:1.5;fill:none}"
    "svg .none{stroke:var(--rule);stroke-dasharray:2 3;fill:none}"
    "svg .line{fill:none;stroke-linejoin:round;stroke-linecap:round}";

/// How the page looks, from 360 pixels to wide, in light, dark and on paper.
inline constexpr std::string_view page_style = R"css(
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}
main{max-width:1000px;margin:0 auto;padding:40px 20px 80px}
h1{font-size:28px;line-height:1.2;margin:0 0 20px;overflow-wrap:anywhere}
h2{font-size:22px;line-height:1.25;margin:56px 0 8px;overflow-wrap:anywhere}
h2 .badge{margin-left:6px;vertical-align:3px}
h2 .id{color:var(--muted);font-weight:400;margin-right:6px}
h3{font-size:15px;margin:28px 0 8px;overflow-wrap:anywhere}
p{margin:8px 0;max-width:72ch;overflow-wrap:anywhere}
a{color:inherit;text-decoration-color:var(--muted);text-underline-offset:3px}
ul{padding-left:20px;max-width:72ch}
li{margin:6px 0;overflow-wrap:anywhere}
header{border-bottom:1px solid var(--rule);padding-bottom:20px}
.over,.facts{margin:0;color:var(--muted);font-size:14px}
.decision{font-size:21px;line-height:1.45;max-width:48ch;margin:0 0 12px;font-weight:500}
.note,figcaption,.unit{color:var(--muted);font-size:14px;max-width:80ch}
.badge{display:inline-flex;align-items:center;gap:6px;padding:1px 9px 1px 7px;border-radius:4px;font-size:14px;
line-height:1.5;font-weight:600;color:var(--on-pole);white-space:nowrap;vertical-align:baseline}
.badge svg{fill:currentColor;flex:none}
.better.badge{background:var(--better)}.worse.badge{background:var(--worse)}
.equivalent.badge{background:var(--equivalent)}.undecided.badge{background:var(--undecided)}
.measured.badge{background:var(--measured)}.void.badge{background:var(--void)}
.tally{display:flex;flex-wrap:wrap;gap:6px 16px;align-items:center;max-width:none}
.answers{list-style:none;padding:0;margin:16px 0 0;max-width:none}
.answers>li{display:grid;grid-template-columns:120px minmax(0,1fr);gap:2px 16px;padding:16px 0;margin:0;
border-top:1px solid var(--rule)}
.answers h3{margin:0 0 4px;font-size:16px}
.answers p{margin:4px 0}
.answers strong{font-weight:600}
figure{margin:20px 0 28px}
figcaption{margin-top:10px}
.scroll{overflow-x:auto;max-width:100%}
.scroll svg{display:block}
.panels{display:grid;grid-template-columns:repeat(auto-fit,minmax(270px,1fr));gap:16px}
.panels svg{width:100%;max-width:440px;height:auto}
.rows{display:grid;grid-template-columns:minmax(0,250px) minmax(0,1fr);column-gap:16px;max-width:860px}
.rows .words{font-size:13.5px;line-height:1.4;padding:4px 0;overflow-wrap:anywhere;align-self:center}
.rows .words b{font-weight:600;margin-right:4px}
.claims .words b{display:block}
.claims .lane{min-height:44px}
.rows .words span{color:var(--muted)}
.rows .words .badge{color:var(--on-pole);font-size:12.5px;padding:0 7px 0 5px}
.lane{position:relative;display:flex;align-items:center}
.lane svg{display:block;overflow:visible;position:relative;flex:none}
.lane svg.rules{position:absolute;top:0;height:100%}
.key{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:14px;max-width:none}
.key i{display:inline-block;width:12px;height:12px;margin-right:6px;border-radius:2px;vertical-align:-1px}
table{border-collapse:collapse;font-size:13.5px;line-height:1.4;font-variant-numeric:tabular-nums}
th,td{padding:5px 14px 5px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule)}
thead th{color:var(--muted);font-weight:500;vertical-align:bottom}
tbody th{font-weight:500;min-width:11ch;max-width:24ch;overflow-wrap:anywhere;position:sticky;left:0;background:var(--paper)}
.n{text-align:right;padding:5px 0 5px 16px}
td.n{white-space:nowrap}
td.long,th.long,.prose td.long{min-width:22ch}
td.n.long{white-space:normal;max-width:34ch}
.prose td{min-width:8ch;max-width:44ch;overflow-wrap:anywhere}
.limits{background:var(--raised);padding:4px 24px 16px;margin:56px 0 0;border-radius:6px}
.limits h2{margin-top:16px}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(250px,1fr));gap:14px 28px;margin:16px 0}
dt{color:var(--muted);font-size:13px}
dd{margin:0;overflow-wrap:anywhere}
@media screen and (max-width:640px){main{padding:24px 16px 60px}h1{font-size:24px}.decision{font-size:19px}h2{margin-top:44px}
.answers>li{grid-template-columns:minmax(0,1fr);gap:8px}.rows{grid-template-columns:minmax(0,1fr)}
.rows .words{padding:10px 0 2px}.rows .words:empty{display:none}.limits{padding:4px 16px 12px;margin-left:-16px;margin-right:-16px;border-radius:0}
tbody th{min-width:9ch;max-width:16ch}th.long{min-width:14ch}}
@media print{body{font-size:10.5pt}main{max-width:none;padding:0}h2{margin-top:28px}h2,h3{break-after:avoid}
figure,tr,.answers>li{break-inside:avoid}.scroll{overflow:visible}.scroll svg{max-width:100%;height:auto}
tbody th{position:static}table{font-size:8.5pt}.n{padding-left:9px}.rows,figure:has(.rows){break-inside:auto}figure:has(.claims){break-inside:avoid}
.limits{padding:4px 12px}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
)css";

}  // namespace tern::report
