using System.Text.Json;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Cli;

public sealed class SigningKeyVerbTests(DemoServer server) : IClassFixture<DemoServer>
{
    [Fact]
    public async Task A_rotation_shows_the_keys_that_it_made_or_let_sign()
    {
        Typist typist = await new Typist(server).InNewRealmAsync("rotated");
        string[] before = [.. (await typist.LinesAsync("signing-keys", "list")).Select(KidOf)];
        IReadOnlyList<JsonElement> after = await typist.LinesAsync("signing-keys", "rotate");
        after.Select(KidOf).Except(before).ShouldNotBeEmpty("a key came in");
        (await typist.LinesAsync("signing-keys", "list")).Select(KidOf).ToHashSet().IsSupersetOf([.. before, .. after.Select(KidOf)]).ShouldBeTrue();
        (await typist.DoAsync("signing-keys", "rotate")).ShouldStartWith("KID ");
        (await typist.DoAsync("signing-keys", "list")).ShouldContain("  retiring  ");
    }

    private static string KidOf(JsonElement key) => key.GetProperty("kid").GetString()!;
}
