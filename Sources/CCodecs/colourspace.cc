// Colours of pictures in another space. ICC.1, PS3.18 §8.3.5.1.5.
#include "colourspace.h"

#include <lcms2.h>

#include <algorithm>

namespace huizhen::codecs {

namespace {

/// A profile that is closed with its scope.
class Profile {
public:
    explicit Profile(cmsHPROFILE profile) : profile(profile) {}
    ~Profile() {
        if (profile) cmsCloseProfile(profile);
    }
    Profile(const Profile &) = delete;
    Profile &operator=(const Profile &) = delete;

    cmsHPROFILE get() const { return profile; }

private:
    cmsHPROFILE profile;
};

class Curve {
public:
    Curve(int type, const double *parameters) : curve(cmsBuildParametricToneCurve(nullptr, type, parameters)) {
        if (!curve) outOfMemory();
    }
    ~Curve() { cmsFreeToneCurve(curve); }
    Curve(const Curve &) = delete;
    Curve &operator=(const Curve &) = delete;

    cmsToneCurve *get() const { return curve; }

private:
    cmsToneCurve *curve;
};

cmsHPROFILE made(cmsCIExyY white, cmsCIExyYTRIPLE primaries, int type, const double *parameters) {
    const Curve curve(type, parameters);
    cmsToneCurve *const curves[] = {curve.get(), curve.get(), curve.get()};
    return cmsCreateRGBProfile(&white, &primaries, curves);
}

constexpr cmsCIExyY daylight65{0.3127, 0.3290, 1};

cmsHPROFILE profileOf(HZColourSpace space) {
    switch (space) {
    case HZColourSpaceOwn: break;
    case HZColourSpaceSRGB: return cmsCreate_sRGBProfile();
    case HZColourSpaceAdobeRGB: {
        const double gamma[] = {2.19921875};
        return made(daylight65, {{0.64, 0.33, 1}, {0.21, 0.71, 1}, {0.15, 0.06, 1}}, 1, gamma);
    }
    case HZColourSpaceROMMRGB: {
        // ISO 22028-2: straight below 16 · 0.001953.
        const double parameters[] = {1.8, 1, 0, 1.0 / 16, 0.031248};
        return made(
            {0.3457, 0.3585, 1}, {{0.7347, 0.2653, 1}, {0.1596, 0.8404, 1}, {0.0366, 0.0001, 1}}, 4, parameters);
    }
    case HZColourSpaceDisplayP3: {
        const double parameters[] = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045};
        return made(daylight65, {{0.680, 0.320, 1}, {0.265, 0.690, 1}, {0.150, 0.060, 1}}, 4, parameters);
    }
    }
    return nullptr;
}

}  // namespace

std::vector<uint8_t> convertColours(uint8_t *pixels, size_t count, Bytes own, HZColourSpace space) {
    const Profile from(own.count > 0 ? cmsOpenProfileFromMem(own.start, cmsUInt32Number(own.count))
                                     : cmsCreate_sRGBProfile());
    if (!from.get() || cmsGetColorSpace(from.get()) != cmsSigRgbData) malformed();
    const Profile to(profileOf(space));
    if (!to.get()) outOfMemory();
    cmsHTRANSFORM transform = cmsCreateTransform(
        from.get(), TYPE_RGB_8, to.get(), TYPE_RGB_8, INTENT_PERCEPTUAL, cmsFLAGS_NOCACHE);
    if (!transform) malformed();
    // The library counts pixels in 32 bits; a picture has at most 2^26.
    cmsDoTransform(transform, pixels, pixels, cmsUInt32Number(count));
    cmsDeleteTransform(transform);
    cmsUInt32Number byteCount = 0;
    if (!cmsSaveProfileToMem(to.get(), nullptr, &byteCount)) outOfMemory();
    std::vector<uint8_t> profile(byteCount);
    if (!cmsSaveProfileToMem(to.get(), profile.data(), &byteCount)) outOfMemory();
    profile.resize(byteCount);
    // ICC.1 §7.2.8: the library writes the present second, and the same picture would be another each time it is made.
    static const uint8_t created[] = {0x07, 0xD0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0};
    if (profile.size() < 24 + sizeof created) outOfMemory();
    std::copy(std::begin(created), std::end(created), profile.begin() + 24);
    return profile;
}

}  // namespace huizhen::codecs
