/// The page's look, in light and in dark.
enum HTMLStyle {
    static let text = """
        :root { --ink: #1b2430; --soft: #5b6673; --line: #dde3ea; --paper: #ffffff; --ours: #0f7b6c; --peer: #7a869a; --plain: #c08a2d; --bad: #b3261e; }
        @media (prefers-color-scheme: dark) {
        :root { --ink: #e6eaf0; --soft: #9aa7b5; --line: #2c3642; --paper: #12181f; --ours: #4cc9b0; --peer: #8c99ab; --plain: #d9a94f; --bad: #f2867e; }
        }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
        main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
        h1 { font-size: 1.9rem; margin: 0 0 .25rem; }
        h2 { font-size: 1.3rem; margin: 2.5rem 0 .75rem; }
        h3 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
        .lead { color: var(--soft); margin: 0; }
        .remark { border-left: 4px solid var(--bad); padding-left: .75rem; }
        .wide { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; font-size: .92rem; }
        th, td { text-align: left; vertical-align: top; padding: .4rem .7rem .4rem 0; border-bottom: 1px solid var(--line); }
        th { color: var(--soft); font-weight: 600; }
        .number { white-space: nowrap; font-variant-numeric: tabular-nums; }
        .samples { color: var(--soft); font-variant-numeric: tabular-nums; }
        .met { color: var(--ours); font-weight: 600; }
        .missed, .notMeasured { color: var(--bad); font-weight: 600; }
        a { color: inherit; }
        details { margin-top: .5rem; }
        summary { cursor: pointer; color: var(--soft); }
        svg { width: 100%; height: auto; display: block; }
        svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
        svg .label { text-anchor: end; }
        svg .label.ours { font-weight: 600; }
        svg .tick { text-anchor: middle; fill: var(--soft); font-size: 11px; }
        svg .value { fill: var(--soft); }
        svg .end { text-anchor: end; }
        svg .grid { stroke: var(--line); }
        svg circle { fill-opacity: .45; }
        svg .ours { fill: var(--ours); stroke: none; }
        svg .peer { fill: var(--peer); stroke: none; }
        svg .plain { fill: var(--plain); stroke: none; }
        svg text.label { fill: var(--ink); }
        h4 { font-size: .92rem; color: var(--soft); margin: 1rem 0 .25rem; }
        svg .capacity { stroke: var(--bad); stroke-dasharray: 4 3; }
        svg .range { stroke-width: 2; }
        svg .median { stroke-width: 3; }
        svg line.ours { stroke: var(--ours); }
        svg line.peer { stroke: var(--peer); }
        svg line.plain { stroke: var(--plain); }
        """
}
