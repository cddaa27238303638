using Atrium.Core.Users;
using Atrium.Server.Demo;
using Shouldly;

namespace Atrium.Tests.Harness;

/// <summary>The app on a person's phone, with the secret of one factor in it.</summary>
internal sealed class AuthenticatorApp(DemoServer server, string secret = DemoRealm.TotpSecret)
{
    /// <summary>What it shows now.</summary>
    public string Code()
    {
        Base32.TryDecode(secret, out byte[]? bytes).ShouldBeTrue();
        return Totp.Code(bytes!, server.Clock.GetUtcNow());
    }

    /// <summary>Six digits that it shows at no step around now.</summary>
    public string WrongCode()
    {
        Base32.TryDecode(secret, out byte[]? bytes).ShouldBeTrue();
        return Enumerable.Range(100_000, 10).Select(static number => number.ToString())
            .First(code => Totp.Match(bytes, code, server.Clock.GetUtcNow(), lastUsedStep: null) is null);
    }
}
