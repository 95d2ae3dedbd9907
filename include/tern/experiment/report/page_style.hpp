#pragma once
#include <string_view>

namespace tern::report {

/// How the page looks, from 360 pixels to wide, in light, dark and on paper.
inline constexpr std::string_view page_style = R"css(
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}
main{max-width:1000px;margin:0 auto;padding:40px 20px 80px}
header{border-bottom:1px solid var(--rule);padding-bottom:24px}
h1{font-size:28px;line-height:1.2;margin:0 0 20px;overflow-wrap:anywhere}
h2{font-size:22px;line-height:1.25;margin:56px 0 8px}
h2 span{color:var(--muted);font-weight:400;margin-right:6px}
h3{font-size:15px;margin:28px 0 8px}
p{margin:8px 0;max-width:70ch;overflow-wrap:anywhere}
.over{margin:0;color:var(--muted);font-size:14px}
header .answer{font-size:21px;line-height:1.45;max-width:46ch;margin:0 0 12px}
.tally,.note,figcaption{color:var(--muted)}
.note,figcaption{font-size:14px;max-width:80ch}
.verdict{border-left:4px solid var(--muted);padding:2px 0 2px 16px;margin:22px 0}
.verdict .head b{margin-right:4px}
.verdict .head{font-weight:500}
.verdict .head~p{color:var(--muted)}
.verdict .answer{font-weight:600;color:var(--ink);white-space:nowrap}
.holds{border-color:var(--better)}
.fails{border-color:var(--worse)}
.holds .answer{color:var(--better)}
.fails .answer{color:var(--worse)}
.open .answer{color:var(--muted)}
header .answer{font-weight:500}
figure{margin:20px 0 28px}
figcaption{margin-top:10px}
.scroll{overflow-x:auto;max-width:100%}
.scroll svg{display:block}
.panels{display:grid;grid-template-columns:repeat(auto-fit,minmax(270px,1fr));gap:16px}
.panels svg{width:100%;max-width:420px;height:auto}
.key{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:14px;max-width:none}
.key i{display:inline-block;width:12px;height:12px;margin-right:6px;border-radius:2px;vertical-align:-1px}
table{border-collapse:collapse;font-size:13.5px;line-height:1.4;font-variant-numeric:tabular-nums}
th,td{padding:5px 12px 5px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule)}
thead th{color:var(--muted);font-weight:500;vertical-align:bottom}
tbody th{font-weight:500;min-width:11ch;max-width:22ch;overflow-wrap:anywhere}
.n{text-align:right;padding:5px 0 5px 14px}
td.n{white-space:nowrap}
td:last-child:not(.n){min-width:26ch}
.losses{background:var(--raised);padding:4px 20px 16px;margin:24px 0;border-radius:6px}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(250px,1fr));gap:14px 28px;margin:16px 0}
dt{color:var(--muted);font-size:13px}
dd{margin:0;overflow-wrap:anywhere}
@media (max-width:600px){main{padding:24px 16px 60px}h1{font-size:24px}header .answer{font-size:19px}h2{margin-top:44px}}
@media print{body{font-size:10.5pt}main{max-width:none;padding:0}h2{margin-top:28px}h2,h3{break-after:avoid}
figure,tr,.verdict{break-inside:avoid}.scroll{overflow:visible}.scroll svg{max-width:100%;height:auto}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
)css";

}  // namespace tern::report
