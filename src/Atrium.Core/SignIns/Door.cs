using System.Text.Json.Serialization;

namespace Atrium.Core.SignIns;

/// <summary>The wire format that a sign-in or a grant came through. It decides the issuer and the defaults, never what is allowed.</summary>
public enum Door
{
    [JsonStringEnumMemberName("oauth")]
    OAuth,

    [JsonStringEnumMemberName("authkit")]
    AuthKit,

    AppNative,
}
