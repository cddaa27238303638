using Atrium.Core.Organizations;
using Atrium.Core.SignIns;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Engine;

public sealed class SignInPolicyTests
{
    private static readonly DateTimeOffset Now = Worlds.Start;

    [Theory]
    [InlineData("nothing asked, password shown", PolicyGap.Nothing)]
    [InlineData("nothing asked, nothing shown", PolicyGap.Identity)]
    [InlineData("a second factor asked, password shown", PolicyGap.SecondFactor)]
    [InlineData("a second factor asked, both shown", PolicyGap.Nothing)]
    [InlineData("passwords not allowed, password shown", PolicyGap.Identity)]
    [InlineData("codes not allowed, both shown", PolicyGap.SecondFactor)]
    [InlineData("an hour, password shown an hour ago", PolicyGap.Nothing)]
    [InlineData("an hour, password shown a moment before", PolicyGap.Identity)]
    [InlineData("an hour, an old password and a new code", PolicyGap.Identity)]
    [InlineData("an hour, a new password and an old code", PolicyGap.SecondFactor)]
    [InlineData("a connection asked, everything shown", PolicyGap.Connection)]
    [InlineData("a connection and a second factor asked, nothing shown", PolicyGap.Connection)]
    public void What_is_missing(string asked, PolicyGap missing)
    {
        Proof password = new(AuthenticationMethod.Password, Now);
        Proof code = new(AuthenticationMethod.Totp, Now);
        DateTimeOffset hourAgo = Now.AddHours(-1);
        DateTimeOffset before = hourAgo.AddMilliseconds(-1);
        OrganizationSettings open = new();
        OrganizationSettings mfa = new() { MfaRequired = true };
        OrganizationSettings hour = new() { SessionMaxAge = 3600 };
        (OrganizationSettings settings, Proof[] proofs) = asked switch
        {
            "nothing asked, password shown" => (open, [password]),
            "nothing asked, nothing shown" => (open, Array.Empty<Proof>()),
            "a second factor asked, password shown" => (mfa, [password]),
            "a second factor asked, both shown" => (mfa, [password, code]),
            "passwords not allowed, password shown" => (open with { AllowedMethods = [AuthenticationMethod.Totp] }, [password, code]),
            "codes not allowed, both shown" => (mfa with { AllowedMethods = [AuthenticationMethod.Password] }, [password, code]),
            "an hour, password shown an hour ago" => (hour, [password with { At = hourAgo }]),
            "an hour, password shown a moment before" => (hour, [password with { At = before }]),
            "an hour, an old password and a new code" => (hour, [password with { At = before }, code]),
            "an hour, a new password and an old code" => (hour with { MfaRequired = true }, [password, code with { At = before }]),
            "a connection asked, everything shown" => (new() { SsoOnly = true }, [password, code]),
            _ => (new() { SsoOnly = true, MfaRequired = true }, Array.Empty<Proof>()),
        };
        SignInPolicy.GapOf(settings, new ShownProofs(proofs, Now)).ShouldBe(missing);
    }
}
