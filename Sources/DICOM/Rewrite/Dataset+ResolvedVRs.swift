extension Dataset {
    /// The same dataset, read from one without VRs, with those of "US or SS" that Pixel Representation (0028,0103)
    /// makes SS. PS3.5 §A.1, PS3.6 §6.
    public func withResolvedVRs() -> Dataset { resolved(VRContext(header: self)) }

    private func resolved(_ outer: VRContext) -> Dataset {
        var result = self
        for element in elements {
            switch element.value {
            case .items(let items):
                var changed = element
                changed.value = .items(
                    items.map { item in
                        item.contains(.pixelRepresentation) ? item.withResolvedVRs() : item.resolved(outer.inner)
                    })
                result.set(changed)
            case .bytes where element.vr == .US:
                let vr = outer.vr(of: element.tag, .US)
                guard vr != .US else { continue }
                var changed = element
                changed.vr = vr
                result.set(changed)
            default: continue
            }
        }
        return result
    }
}
