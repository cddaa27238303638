using Atrium.Core;
using Atrium.Core.Realms;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Engine;

/// <summary>The life of a signing key: next, active, retiring, retired.</summary>
public sealed class SigningKeyRotationTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddDays(100);

    [Fact]
    public void The_next_key_takes_the_active_ones_place_and_a_new_one_is_next()
    {
        SigningKeyRotation rotation = SigningKeyRotation.Of([Key("a", activated: true), Key("b")], [Key("c")], Now);
        rotation.Changed.Select(static key => (key.Kid, key.StatusAt(Now))).ShouldBe([("a", SigningKeyStatus.Retiring), ("b", SigningKeyStatus.Active)]);
        rotation.Added.Select(static key => (key.Kid, key.StatusAt(Now))).ShouldBe([("c", SigningKeyStatus.Next)]);
        rotation.Activated.ShouldHaveSingleItem().Kid.ShouldBe("b");
    }

    [Fact]
    public void Where_none_was_published_before_a_new_one_signs_at_once()
    {
        SigningKeyRotation rotation = SigningKeyRotation.Of([Key("a", activated: true)], [Key("b"), Key("c")], Now);
        rotation.Changed.ShouldHaveSingleItem().Kid.ShouldBe("a");
        rotation.Added.Select(static key => (key.Kid, key.StatusAt(Now))).ShouldBe([("b", SigningKeyStatus.Active), ("c", SigningKeyStatus.Next)]);
    }

    [Fact]
    public void Two_at_once_leave_one_active_key_and_one_next()
    {
        SigningKey[] start = [Key("a", activated: true), Key("b")];
        SigningKeyRotation first = SigningKeyRotation.Of(start, [Key("c")], Now);
        SigningKey[] between = [.. first.Changed.Concat(first.Added).Where(static key => key.ReplacedAt is null)];
        SigningKeyRotation second = SigningKeyRotation.Of(between, [Key("d")], Now);
        SigningKey[] after = [.. second.Changed.Concat(second.Added).Where(static key => key.ReplacedAt is null)];
        after.Select(static key => (key.Kid, key.StatusAt(Now))).ShouldBe([("c", SigningKeyStatus.Active), ("d", SigningKeyStatus.Next)]);
    }

    [Fact]
    public void Each_algorithm_has_keys_of_its_own()
    {
        SigningKey[] keys = [Key("a", activated: true), Key("r", "RS256", activated: true), Key("b"), Key("s", "RS256")];
        SigningKeyRotation rotation = SigningKeyRotation.Of(keys, [Key("c"), Key("t", "RS256")], Now);
        rotation.Activated.Select(static key => (key.Kid, key.Algorithm)).ShouldBe([("b", "ES256"), ("s", "RS256")]);
        rotation.Added.Select(static key => (key.Kid, key.Algorithm)).ShouldBe([("c", "ES256"), ("t", "RS256")]);
    }

    [Fact]
    public void A_replaced_key_is_known_for_45_days()
    {
        SigningKey key = Key("a", activated: true) with { ReplacedAt = Now };
        key.StatusAt(Now.AddDays(45).AddMilliseconds(-1)).ShouldBe(SigningKeyStatus.Retiring);
        key.StatusAt(Now.AddDays(45)).ShouldBe(SigningKeyStatus.Retired);
    }

    private static SigningKey Key(string kid, string algorithm = "ES256", bool activated = false) => new()
    {
        RealmId = new Id<Realm>(Guid.Empty),
        Kid = kid,
        Algorithm = algorithm,
        SealedPrivateKey = [],
        Certificate = [],
        CreatedAt = Now.AddDays(-30),
        ActivatedAt = activated ? Now.AddDays(-30) : null,
    };
}
