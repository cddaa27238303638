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
    public void The_first_key_of_an_algorithm_is_published_and_does_not_sign()
    {
        SigningKeyRotation rotation = SigningKeyRotation.Of([Key("a", activated: true), Key("b")], [Key("c"), Key("e", "EdDSA"), Key("f", "EdDSA")], Now);
        rotation.Added.Select(static key => (key.Kid, key.StatusAt(Now))).ShouldBe([("c", SigningKeyStatus.Next), ("e", SigningKeyStatus.Next)]);
    }

    [Fact]
    public void By_itself_only_what_is_due_changes()
    {
        SigningKey[] keys = [Key("a", activated: true), Key("b"), Key("r", "RS256", activated: true) with { ActivatedAt = Now.AddDays(-29) }, Key("s", "RS256")];
        TimeSpan month = TimeSpan.FromDays(30);
        SigningKeyRotation.DueAlgorithms(keys, ["ES256", "RS256", "EdDSA"], month, Now).ShouldBe(["ES256", "EdDSA"]);
        SigningKeyRotation.DueAlgorithms(keys, ["ES256", "RS256"], period: null, Now.AddYears(9)).ShouldBeEmpty();
        SigningKeyRotation rotation = SigningKeyRotation.Due(
            keys, [Key("c"), Key("t", "RS256"), Key("e", "EdDSA") with { CreatedAt = Now }], month, Now);
        rotation.Changed.Select(static key => (key.Kid, key.StatusAt(Now))).ShouldBe([("a", SigningKeyStatus.Retiring), ("b", SigningKeyStatus.Active)]);
        rotation.Added.Select(static key => (key.Kid, key.StatusAt(Now))).ShouldBe([("c", SigningKeyStatus.Next), ("e", SigningKeyStatus.Next)]);

        SigningKey[] after = [.. rotation.Changed.Concat(rotation.Added).Where(static key => key.ReplacedAt is null), keys[2], keys[3]];
        SigningKeyRotation second = SigningKeyRotation.Due(after, [Key("d"), Key("f", "EdDSA")], month, Now);
        (second.Changed.Count + second.Added.Count).ShouldBe(0, "who comes second finds nothing due");
    }

    [Fact]
    public void A_key_that_was_published_less_than_a_day_ago_waits()
    {
        SigningKey[] keys = [Key("a", activated: true), Key("b") with { CreatedAt = Now.AddHours(-23) }];
        SigningKeyRotation.DueAlgorithms(keys, ["ES256"], TimeSpan.FromDays(1), Now).ShouldBeEmpty();
        SigningKeyRotation.DueAlgorithms(keys, ["ES256"], TimeSpan.FromDays(1), Now.AddHours(1)).ShouldBe(["ES256"]);
        SigningKeyRotation.DueAlgorithms([keys[0]], ["ES256"], TimeSpan.FromDays(300), Now).ShouldBe(["ES256"], "a next one is always published");
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
