(function () {
  "use strict";
  var store = document.getElementById("graphs"), sections = store ? JSON.parse(store.textContent) : {};
  var TAIL = 1, ARROW = 2, CIRCLE = 3, NS = "http://www.w3.org/2000/svg";

  function make(tag, attributes, text, svg) {
    var found = svg ? document.createElementNS(NS, tag) : document.createElement(tag);
    Object.keys(attributes || {}).forEach(function (k) { found.setAttribute(k, attributes[k]); });
    if (text !== undefined) { found.textContent = text; }
    return found;
  }
  function save(name, type, parts) {
    var link = make("a", { download: name.replace(/[^\w.-]+/g, "_") });
    link.href = URL.createObjectURL(new Blob([parts], { type: type }));
    link.click();
    setTimeout(function () { URL.revokeObjectURL(link.href); }, 5000);
  }
  function button(text, act) {
    var found = make("button", { type: "button", "class": "tool" }, text);
    found.addEventListener("click", act);
    return found;
  }

  /* ---- tables: sort, filter, CSV ---- */
  function cellText(cell) {
    var own = Array.prototype.filter.call(cell.childNodes, function (n) { return !(n.classList && (n.classList.contains("iv") || n.classList.contains("tag"))); });
    return own.map(function (n) { return n.nodeName.toLowerCase() === "svg" ? "" : n.textContent; }).join("").trim();
  }
  function csvOf(table) {
    return Array.prototype.map.call(table.rows, function (row) {
      return Array.prototype.map.call(row.cells, function (cell) {
        var text = cell.dataset.value && cell.dataset.value !== "nan" ? cell.dataset.value : cellText(cell);
        return /[",\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
      }).join(",");
    }).join("\n") + "\n";
  }
  document.querySelectorAll("table.sortable").forEach(function (table) {
    table.querySelectorAll("th[data-sort]").forEach(function (head) {
      var sorter = make("button", { type: "button" }, head.textContent);
      head.textContent = "";
      head.appendChild(sorter);
      sorter.addEventListener("click", function () {
        var now = head.getAttribute("aria-sort");
        var next = now ? (now === "ascending" ? "descending" : "ascending") : head.dataset.sort;
        table.querySelectorAll("th").forEach(function (th) { th.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", next);
        var at = Array.prototype.indexOf.call(head.parentNode.children, head), sign = next === "ascending" ? 1 : -1;
        var body = table.tBodies[0], rows = Array.prototype.slice.call(body.rows);
        rows.sort(function (a, b) {
          var x = parseFloat(a.cells[at].dataset.value), y = parseFloat(b.cells[at].dataset.value);
          if (isNaN(x) || isNaN(y)) { return isNaN(x) - isNaN(y); }
          return sign * (x - y);
        });
        rows.forEach(function (row) { body.appendChild(row); });
      });
    });
    var name = table.closest("section") ? table.closest("section").querySelector("h2").textContent : "table";
    table.parentNode.after(button("CSV", function () { save(name + ".csv", "text/csv", csvOf(table)); }));
  });
  var words = document.getElementById("filter"), controls = document.getElementById("controls");
  function filter() {
    var wanted = words.value.toLowerCase().split(/[\s,]+/).filter(Boolean), shown = 0, all = 0;
    document.querySelectorAll("[data-method]").forEach(function (row) {
      var name = row.dataset.method.toLowerCase();
      var hit = !wanted.length || wanted.some(function (word) { return name.indexOf(word) >= 0; });
      row.hidden = !hit || (!controls.checked && row.dataset.control === "1");
    });
    document.querySelectorAll("main > section").forEach(function (part) {
      var rows = part.querySelectorAll("tr[data-method]"), left = part.querySelectorAll("tr[data-method]:not([hidden])");
      all += rows.length;
      shown += left.length;
      part.hidden = rows.length > 0 && left.length === 0;
    });
    document.getElementById("left").textContent = shown === all ? "" : shown + " of " + all + " rows";
  }
  if (words) { [words, controls].forEach(function (item) { item.addEventListener("input", filter); }); }

  /* ---- pictures as files ---- */
  function standalone(svg) {
    var copy = svg.cloneNode(true), mine = svg.querySelectorAll("*"), its = copy.querySelectorAll("*");
    for (var k = 0; k < mine.length; k++) {
      var style = getComputedStyle(mine[k]);
      if (mine[k].nodeName === "title" || mine[k].nodeName === "desc" || mine[k].nodeName === "g") { continue; }
      ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "opacity"].forEach(function (p) { its[k].style.setProperty(p, style.getPropertyValue(p)); });
      if (mine[k].nodeName === "text") { ["font-size", "font-family", "font-weight", "text-anchor"].forEach(function (p) { its[k].style.setProperty(p, style.getPropertyValue(p)); }); }
    }
    var box = svg.viewBox.baseVal;
    copy.setAttribute("width", box.width);
    copy.setAttribute("height", box.height);
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + new XMLSerializer().serializeToString(copy);
  }
  function savePng(svg, name) {
    var image = new Image(), box = svg.viewBox.baseVal, source = URL.createObjectURL(new Blob([standalone(svg)], { type: "image/svg+xml" }));
    image.onload = function () {
      var canvas = make("canvas", { width: Math.ceil(box.width * 2), height: Math.ceil(box.height * 2) }), pen = canvas.getContext("2d");
      pen.fillStyle = getComputedStyle(document.body).backgroundColor;
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.drawImage(image, 0, 0, canvas.width, canvas.height);
      URL.revokeObjectURL(source);
      canvas.toBlob(function (blob) { save(name + ".png", "image/png", blob); });
    };
    image.src = source;
  }
  function offer(figure) {
    function svg() { return figure.querySelector("svg"); }
    function name() { var t = svg().querySelector("title"); return t ? t.textContent : "figure"; }
    var bar = make("p", { "class": "tools" });
    bar.appendChild(button("SVG", function () { save(name() + ".svg", "image/svg+xml", standalone(svg())); }));
    bar.appendChild(button("PNG", function () { savePng(svg(), name()); }));
    figure.after(bar);
    return bar;
  }
  document.querySelectorAll("figure.file").forEach(offer);

  /* ---- graph against graph ---- */
  function pairs(edges) {
    var found = new Map();
    edges.forEach(function (e) {
      var low = Math.min(e[0], e[1]), high = Math.max(e[0], e[1]), turned = e[0] > e[1];
      found.set(low + "," + high, { i: low, j: high, ends: turned ? [e[3], e[2]] : [e[2], e[3]], share: e[4], why: e[5] });
    });
    return found;
  }
  function kindOf(a, b) {
    if (!a) { return "extra"; }
    if (!b) { return "missing"; }
    if (a.ends[0] === b.ends[0] && a.ends[1] === b.ends[1]) { return "true"; }
    var arrows = [a, b].every(function (e) { return e.ends[0] + e.ends[1] === 3; });
    return arrows ? "reversed" : "unoriented";
  }
  function text(nodes, e) {
    var left = ["", "", "<", "o"][e.ends[0]], right = ["", "", ">", "o"][e.ends[1]];
    return nodes[e.i] + " " + left + "—" + right + " " + nodes[e.j];
  }
  function draw(part, from, to, figure, counts) {
    var a = pairs(part.graphs[from] || []), b = pairs(part.graphs[to] || []), nodes = part.nodes, h = part.h, single = from === to;
    var keys = Array.from(new Set(Array.from(a.keys()).concat(Array.from(b.keys()))));
    var box = [-12, -12, part.size[0] + 24, part.size[1] + 24], told = {};
    var svg = make("svg", { "class": "graph", role: "img", viewBox: box.join(" "), style: "max-width:" + Math.round(box[2]) + "px" }, undefined, true);
    svg.appendChild(make("title", {}, single ? to : from + " against " + to, true));
    keys.forEach(function (key) {
      var one = a.get(key), other = b.get(key), kind = single ? "plain" : kindOf(one, other), e = other || one;
      told[kind] = (told[kind] || 0) + 1;
      svg.appendChild(line(part, e, kind, tip(nodes, kind, from, to, one, other, single)));
    });
    nodes.forEach(function (name, k) {
      var g = make("g", { "class": "n" }, undefined, true), x = part.x[k], y = part.y[k], w = part.w[k];
      g.appendChild(make("title", {}, name, true));
      g.appendChild(make("rect", { x: x - w / 2, y: y - h / 2, width: w, height: h, rx: 6 }, undefined, true));
      g.appendChild(make("text", { x: x, y: y + 4 }, part.labels[k], true));
      svg.appendChild(g);
    });
    figure.replaceChildren(svg);
    var words = { "true": "alike", unoriented: "other ends", reversed: "reversed", extra: "only in " + to, missing: "only in " + from, plain: "edges" };
    counts.textContent = Object.keys(words).filter(function (k) { return told[k]; }).map(function (k) { return told[k] + " " + words[k]; }).join(", ") || "no edges";
  }
  function tip(nodes, kind, from, to, one, other, single) {
    var lines = [];
    [[from, one], [to, other]].slice(single ? 1 : 0).forEach(function (item) {
      if (!item[1]) { lines.push(item[0] + ": no edge"); return; }
      lines.push(item[0] + ": " + text(nodes, item[1]));
      if (item[1].share !== undefined && item[1].share !== null) { lines.push("  in " + Math.round(100 * item[1].share) + " % of the other draws"); }
      if (item[1].why) { lines.push("  " + item[1].why); }
    });
    return lines.join("\n");
  }
  function border(part, k, dx, dy, pad) {
    var w = part.w[k] / 2 + pad, h = part.h / 2 + pad, n = Math.hypot(dx, dy) || 1, t = Math.min(w / Math.abs(dx / n || 1e-9), h / Math.abs(dy / n || 1e-9));
    return [part.x[k] + dx / n * t, part.y[k] + dy / n * t];
  }
  function crossed(part, e) {
    var ax = part.x[e.i], ay = part.y[e.i], dx = part.x[e.j] - ax, dy = part.y[e.j] - ay;
    return part.nodes.some(function (_, k) {
      if (k === e.i || k === e.j) { return false; }
      for (var t = 0.1; t < 0.95; t += 0.1) {
        if (Math.abs(ax + dx * t - part.x[k]) < part.w[k] / 2 + 3 && Math.abs(ay + dy * t - part.y[k]) < part.h / 2 + 3) { return true; }
      }
      return false;
    });
  }
  function line(part, e, kind, title) {
    var dx = part.x[e.j] - part.x[e.i], dy = part.y[e.j] - part.y[e.i], bow = crossed(part, e) ? 0.22 : 0;
    var mx = (part.x[e.i] + part.x[e.j]) / 2 - dy * bow, my = (part.y[e.i] + part.y[e.j]) / 2 + dx * bow;
    var g = make("g", { "class": "e " + kind }, undefined, true), ends = [];
    [[e.i, e.ends[0]], [e.j, e.ends[1]]].forEach(function (item) {
      var ux = mx - part.x[item[0]], uy = my - part.y[item[0]];
      ends.push([border(part, item[0], ux, uy, 2), border(part, item[0], ux, uy, item[1] === TAIL ? 2 : 9), item[1]]);
    });
    g.appendChild(make("title", {}, title, true));
    g.appendChild(make("path", { "class": "l", d: "M" + ends[0][1] + "Q" + [mx, my] + " " + ends[1][1] }, undefined, true));
    ends.forEach(function (end) {
      var tipAt = end[0], base = end[1], n = Math.hypot(tipAt[0] - base[0], tipAt[1] - base[1]) || 1;
      var ux = (tipAt[0] - base[0]) / n, uy = (tipAt[1] - base[1]) / n, bx = tipAt[0] - ux * 8.5, by = tipAt[1] - uy * 8.5;
      if (end[2] === ARROW) { g.appendChild(make("path", { "class": "a", d: "M" + tipAt + "L" + [bx - uy * 4.2, by + ux * 4.2] + "L" + [bx + uy * 4.2, by - ux * 4.2] + "Z" }, undefined, true)); }
      if (end[2] === CIRCLE) { g.appendChild(make("circle", { "class": "o", cx: (tipAt[0] + base[0]) / 2, cy: (tipAt[1] + base[1]) / 2, r: 3.2 }, undefined, true)); }
    });
    return g;
  }
  function asGraph(part, name) {
    var marks = { "1,1": "--", "1,2": "->", "2,1": "<-", "2,2": "<->", "3,2": "o->", "2,3": "<-o", "3,3": "o-o", "1,3": "-o", "3,1": "o--" }, pag = false;
    var edges = part.graphs[name].map(function (e) {
      var turned = e[2] === ARROW && e[3] !== ARROW, ends = turned ? [e[3], e[2]] : [e[2], e[3]];
      pag = pag || ends[0] === CIRCLE || ends[1] === CIRCLE || (ends[0] === ARROW && ends[1] === ARROW);
      return { from: part.nodes[turned ? e[1] : e[0]], to: part.nodes[turned ? e[0] : e[1]], mark: marks[ends.join()] };
    });
    return JSON.stringify({ format: "causalnet.graph/1", nodes: part.nodes, edges: edges, pag: pag, evidence: [], meta: { backend: name } }, null, 1) + "\n";
  }
  document.querySelectorAll("details.viewer").forEach(function (viewer) {
    var part = sections[viewer.dataset.section], figure = viewer.querySelector("figure"), counts = viewer.querySelector(".counts"), ready = false;
    var picks = viewer.querySelectorAll("select"), names = Object.keys(part.graphs);
    function show() { draw(part, picks[0].value, picks[1].value, figure, counts); }
    function start() {
      if (ready || !viewer.open) { return; }
      ready = true;
      picks.forEach(function (pick, k) {
        names.forEach(function (name) { pick.appendChild(make("option", { value: name }, name)); });
        pick.value = names[Math.min(k, names.length - 1)];
        pick.addEventListener("input", show);
      });
      offer(figure).appendChild(button("Graph", function () { save(picks[1].value + ".json", "application/json", asGraph(part, picks[1].value)); }));
      show();
    }
    viewer.addEventListener("toggle", start);
    start();
  });
})();
