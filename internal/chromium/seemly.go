package chromium

import "fmt"

// Seemly checks what holds for every page for people, at several widths, light
// and dark, and at a zoom of 200 %: it fits its window, and its text can be read.
// It takes screenshots under the name, and leaves a wide, light window.
func (b *Page) Seemly(name string) {
	b.T.Helper()
	for _, dress := range []struct {
		width, height int
		scheme        string
	}{{1280, 900, "light"}, {1280, 900, "dark"}, {390, 844, "light"}, {390, 844, "dark"}, {300, 600, "light"},
		{640, 450, "dark"}, {195, 422, "dark"}} { // the first two at a zoom of 200 %
		b.Dress(dress.width, dress.height, dress.scheme)
		var got struct {
			Scroll, Client int
			Outside        []string
			Ground, Ink    string
			Contrast       float64
		}
		b.Eval(pageFacts, &got)
		if got.Scroll > got.Client || len(got.Outside) > 0 {
			b.T.Errorf("%s at %d px: %d px wide, outside of it: %v", name, dress.width, got.Scroll, got.Outside)
		}
		if got.Contrast < 4.5 { // WCAG 2.2, success criterion 1.4.3
			b.T.Errorf("%s %s: text %s on %s has a contrast of %.1f only", name, dress.scheme, got.Ink, got.Ground, got.Contrast)
		}
		b.Screenshot(fmt.Sprintf("%s-%s-%d", name, dress.scheme, dress.width))
	}
	b.Dress(1280, 900, "light")
}

// pageFacts measures a page: whether it fits its window, and how well its worst
// text stands out from what is behind it.
const pageFacts = `(() => {
	const root = document.documentElement, outside = [];
	const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
	const rgba = colour => {
		canvas.clearRect(0, 0, 1, 1);
		canvas.fillStyle = colour;
		canvas.fillRect(0, 0, 1, 1);
		return [...canvas.getImageData(0, 0, 1, 1).data];
	};
	const over = (top, below) => top.slice(0, 3).map((c, i) => c*top[3]/255 + below[i]*(1 - top[3]/255));
	const light = c => c.slice(0, 3).map(v => v/255).map(v => v <= .04045 ? v/12.92 : ((v + .055)/1.055)**2.4)
		.reduce((sum, v, i) => sum + v*[.2126, .7152, .0722][i], 0);
	const ground = element => {
		const layers = [];
		for (let e = element; e; e = e.parentElement) layers.push(rgba(getComputedStyle(e).backgroundColor));
		return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
	};
	let worst = {contrast: 99, ground: "", ink: ""};
	for (const e of document.body.querySelectorAll("*")) {
		const box = e.getBoundingClientRect();
		if (box.left < -0.5 || box.right > root.clientWidth + 0.5) outside.push(e.tagName + "." + e.className);
		const style = getComputedStyle(e);
		if (style.backgroundImage !== "none" || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
		const below = ground(e), ink = over(rgba(style.color), below);
		const [a, b] = [light(ink), light(below)];
		const contrast = (Math.max(a, b) + .05)/(Math.min(a, b) + .05);
		if (contrast < worst.contrast) worst = {contrast, ground: below.map(Math.round).join(" "), ink: ink.map(Math.round).join(" ") + " in " + e.tagName};
	}
	return {scroll: root.scrollWidth, client: root.clientWidth, outside, ...worst};
})()`
