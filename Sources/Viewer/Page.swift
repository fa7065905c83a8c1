import HTTP

/// The pages, as markup. What is looked at comes later, by the scripts, from DICOMweb.
struct Page: Sendable {
    let language: Language
    /// Path and query of the page without its language, for the switch; ends in `?` or `&`.
    var here: String
    /// Whoever is signed in.
    var visitor: Visitor?

    /// What every page of somebody who is signed in shows.
    struct Visitor: Sendable {
        var name: String
        /// Carried by the form that signs out.
        var form: String
        var links: [(path: String, text: String)]
    }

    func t(_ phrase: Phrase) -> String { phrase.text(language) }

    // MARK: Pages

    /// - Parameter search: what was searched for, shown again in the form.
    func studies(search: QueryText) -> HTML {
        func field(_ name: String, _ phrase: Phrase, type: String = "search", hint: String = "") -> HTML {
            """
            <div class="field"><label for="\(name)">\(t(phrase))</label>\
            <input id="\(name)" name="\(name)" type="\(type)" value="\(search[name] ?? "")" placeholder="\(hint)" \
            maxlength="64" autocomplete="off"></div>
            """
        }
        let held = search["modality"] ?? ""
        let options: [HTML] = Self.modalities.map { modality in
            let isHeld: HTML = modality == held ? " selected" : ""
            return "<option\(isHeld)>\(modality)</option>"
        }
        return frame(
            script: "list.js", bodyClass: "list",
            """
            <main id="content">
            <h1 class="hidden">\(t(.studies))</h1>
            <form id="search" role="search" aria-label="\(t(.searchStudies))" method="get" action="/">
            \(field("name", .name, hint: t(.nameHint)))
            \(field("id", .patientID))
            \(field("accession", .accession))
            \(field("from", .dateFrom, type: "date"))
            \(field("to", .dateTo, type: "date"))
            <div class="field narrow"><label for="modality">\(t(.modality))</label>
            <select id="modality" name="modality"><option value="">\(t(.anyModality))</option>\(options)</select></div>
            <div class="buttons"><button type="submit" class="primary">\(t(.search))</button>
            <a class="button" href="/">\(t(.clear))</a></div>
            </form>
            <p id="status" role="status" aria-live="polite">\(t(.searching))</p>
            <table id="studies" hidden>
            <thead><tr><th scope="col">\(t(.name))</th><th scope="col">\(t(.patientID))</th>\
            <th scope="col">\(t(.sex))</th><th scope="col">\(t(.birthDate))</th><th scope="col">\(t(.studyDate))</th>\
            <th scope="col">\(t(.modality))</th><th scope="col">\(t(.description))</th>\
            <th scope="col">\(t(.accession))</th><th scope="col">\(t(.seriesAndImages))</th></tr></thead>
            <tbody></tbody>
            </table>
            <nav id="pages" aria-label="\(t(.page))" hidden><a class="button" id="previous">\(t(.previousPage))</a>
            <span id="page"></span><a class="button" id="next">\(t(.nextPage))</a></nav>
            </main>
            """)
    }

    func study() -> HTML {
        func tool(_ name: String, _ phrase: Phrase, key: String, isPressed: Bool = false) -> HTML {
            """
            <button type="button" data-tool="\(name)" aria-pressed="\(isPressed ? "true" : "false")" \
            aria-keyshortcuts="\(key)">\(t(phrase))</button>
            """
        }
        func action(_ name: String, _ phrase: Phrase, key: String) -> HTML {
            "<button type=\"button\" data-action=\"\(name)\" aria-keyshortcuts=\"\(key)\">\(t(phrase))</button>"
        }
        return frame(
            script: "viewer.js", bodyClass: "study",
            """
            <main id="content">
            <aside aria-label="\(t(.series))"><p id="arriving" hidden></p><ol id="series"></ol></aside>
            <section class="reading" aria-label="\(t(.image))">
            <div id="toolbar" role="toolbar" aria-label="\(t(.tools))">
            <div class="group">\(tool("window", .toolWindow, key: "w", isPressed: true))\(tool("scroll", .toolScroll, key: "s"))\
            \(tool("pan", .toolPan, key: "p"))\(tool("zoom", .toolZoom, key: "z"))\(tool("measure", .toolMeasure, key: "m"))\
            </div>
            <div class="group"><label for="preset">\(t(.presets))</label><select id="preset"></select></div>
            <div class="group">\(action("fit", .fit, key: "f"))\(action("actual", .actualSize, key: "o"))\
            \(action("invert", .invert, key: "i"))\(action("rotate", .rotate, key: "r"))\
            \(action("flip-horizontal", .flipHorizontal, key: "h"))\(action("flip-vertical", .flipVertical, key: "v"))\
            \(action("clear", .clearMeasurements, key: "Delete"))\(action("reset", .reset, key: "Escape"))</div>
            <div class="group">\(action("metadata", .metadata, key: "t"))\(action("help", .help, key: "?"))</div>
            </div>
            <div id="stage" tabindex="0" role="application" aria-label="\(t(.imageRegion))" aria-describedby="corner-bottom-left">
            <canvas id="canvas"></canvas>
            <div class="corner top left" id="corner-top-left"></div><div class="corner top right" id="corner-top-right"></div>
            <div class="corner bottom left" id="corner-bottom-left"></div>
            <div class="corner bottom right" id="corner-bottom-right"></div>
            <div class="side top" id="side-top"></div><div class="side bottom" id="side-bottom"></div>
            <div class="side left" id="side-left"></div><div class="side right" id="side-right"></div>
            <div id="message" role="alert" hidden><p></p><button type="button">\(t(.retry))</button></div>
            <progress id="progress" aria-label="\(t(.loading))" hidden></progress>
            </div>
            <div id="player">
            <button type="button" id="play" aria-keyshortcuts="Space">\(t(.play))</button>
            <input id="slider" type="range" min="1" max="1" value="1" aria-label="\(t(.slice))">
            <output id="position" for="slider"></output>
            <label for="rate">\(t(.rate))</label><input id="rate" type="number" min="1" max="60" value="10">
            <span>\(t(.perSecond))</span></div>
            </section>
            </main>
            <dialog id="metadata" aria-label="\(t(.metadata))"><form method="dialog"><h2>\(t(.metadata))</h2>
            <input id="filter" type="search" aria-label="\(t(.filter))" placeholder="\(t(.filter))" autocomplete="off">
            <button>\(t(.close))</button></form>
            <div class="scroll" tabindex="0"><table><thead><tr><th scope="col">\(t(.tag))</th><th scope="col">VR</th>\
            <th scope="col">\(t(.keyword))</th><th scope="col">\(t(.value))</th></tr></thead><tbody></tbody></table></div>
            </dialog>
            <dialog id="help" aria-label="\(t(.help))"><form method="dialog"><h2>\(t(.help))</h2>
            <ul id="keys"></ul><button>\(t(.close))</button></form></dialog>
            """)
    }

    // MARK: What pages have in common

    /// - Parameter script: a file of `Assets`; empty for none.
    func frame(script: String, bodyClass: String, _ content: HTML) -> HTML {
        let other = language.other
        let links: [HTML] = (visitor?.links ?? []).map { "<a class=\"button\" href=\"\($0.path)\">\($0.text)</a>" }
        let signOut: HTML =
            visitor.map { visitor in
                """
                <form method="post" action="/session/end">\(hidden(visitor.form))\
                <button type="submit" title="\(visitor.name)">\(t(.signOut))</button></form>
                """
            } ?? ""
        let module: HTML = script.isEmpty ? "" : "<script type=\"module\" src=\"/assets/\(script)\"></script>"
        return """
            <!DOCTYPE html>
            <html lang="\(language.tag)">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="dark">
            <title>\(t(.title)) · \(t(.subtitle))</title>
            <link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
            <link rel="stylesheet" href="/assets/viewer.css">
            <script type="application/json" id="phrases">\(HTML(markup: Phrase.json(language)))</script>
            \(module)
            </head>
            <body class="\(bodyClass)">
            <a class="skip" href="#content">\(t(.skipToContent))</a>
            <header><a class="brand" href="/">\(t(.title))</a><span id="subject">\(t(.subtitle))</span>
            <span class="notice" role="note">\(t(.notDiagnostic))</span>
            <nav>\(links)<a class="button" lang="\(other.tag)" hreflang="\(other.tag)" href="\(here)lang=\(other.rawValue)">\
            \(other.name)</a>\(signOut)</nav></header>
            \(content)
            </body>
            </html>

            """
    }

    /// Modalities that the form offers. PS3.3 §C.7.3.1.1.1.
    private static let modalities = [
        "CR", "CT", "DX", "ES", "IO", "IVUS", "MG", "MR", "NM", "OCT", "OP", "OT", "PT", "PX", "RF", "SC", "SM", "US",
        "XA", "XC",
    ]
}
