using System.Text.Json;
using Atrium.Core.Users;
using Atrium.Tests.AppNative;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Management;

/// <summary>What the log tells of sign-ins, whatever the door they came through.</summary>
public class SignInEventTests(DemoServer server) : IClassFixture<DemoServer>
{
    private const string WrongPassword = "not the password of anybody";

    private readonly ManagementCalls api = new(server);
    private readonly World world = new(server);

    [Fact]
    public async Task A_sign_in_at_each_door_is_told_with_its_person_its_client_and_its_organization()
    {
        User sam = await world.UserAsync("sam@example.test");
        await new OAuthBrowser(server).TokensAsync("sam@example.test");
        JsonElement hosted = (await EventsOfAsync(sam))[0];
        TypeOf(hosted).ShouldBe("sign_in.succeeded");
        (Of(hosted, "door"), Of(hosted, "choice"), Of(hosted, "client_id")).ShouldBe(("oauth", "all", "demo-web"));
        hosted.GetProperty("actor").GetProperty("type").GetString().ShouldBe("user");
        hosted.GetProperty("actor").GetProperty("id").GetString().ShouldBe(sam.Id.ToString());
        hosted.GetProperty("data").GetProperty("methods")[0].GetString().ShouldBe("password");
        hosted.GetProperty("data").GetProperty("session_id").GetString()!.ShouldStartWith("s_");

        AuthKitCalls authKit = new(server);
        User mia = await world.UserAsync("mia@example.test");
        string northwind = await authKit.OrganizationIdAsync("northwind");
        await authKit.SignInToAsync("mia@example.test", northwind);
        IReadOnlyList<JsonElement> chosen = await EventsOfAsync(mia);
        chosen.Take(2).Select(TypeOf).ShouldBe(["sign_in.succeeded", "sign_in.organization_chosen"]);
        chosen[0].GetProperty("organization_id").GetString().ShouldBe(northwind);
        Of(chosen[0], "door").ShouldBe("authkit");

        NativeApp app = new(server);
        AppNative.Answer start = await app.StartAtAsync(await app.PathOfAsync("northwind"));
        (await app.PasswordAsync(start, "mia@example.test")).ShouldComplete();
        Of((await EventsOfAsync(mia))[0], "door").ShouldBe("app_native");
    }

    [Fact]
    public async Task A_failed_sign_in_is_told_with_its_reason_and_never_with_what_was_typed()
    {
        AuthKitCalls authKit = new(server);
        User tom = await world.UserAsync("tom@example.test");
        await authKit.PasswordAsync("tom@example.test", WrongPassword);
        JsonElement wrong = (await EventsOfAsync(tom))[0];
        (TypeOf(wrong), Of(wrong, "reason")).ShouldBe(("sign_in.failed", "wrong_password"));

        await authKit.PasswordAsync("nobody-in-particular@example.test", WrongPassword);
        ManagementAnswer log = (await api.GetAsync("/events?types=sign_in.failed&limit=5")).Expect(200);
        Of(log.Items[0], "reason").ShouldBe("unknown_user");
        log.Text.ShouldNotContain(WrongPassword);
        log.Text.ShouldNotContain("nobody-in-particular");

        User mia = await world.UserAsync("mia@example.test");
        string foreign = (await world.NewOrganizationAsync($"foreign-{Guid.NewGuid():n}")).Id.ToString();
        await authKit.SelectAsync(await authKit.PendingTokenOfAsync("mia@example.test"), foreign);
        JsonElement refused = (await EventsOfAsync(mia))[0];
        (TypeOf(refused), Of(refused, "reason"), Of(refused, "organization_id")).ShouldBe(("sign_in.failed", "organization_unavailable", foreign));
    }

    private static string? TypeOf(JsonElement happened) => happened.GetProperty("type").GetString();

    private static string? Of(JsonElement happened, string field) => happened.GetProperty("data").GetProperty(field).GetString();

    private async Task<IReadOnlyList<JsonElement>> EventsOfAsync(User user) =>
        (await api.GetAsync($"/events?types=sign_in.*&user_id={user.Id}")).Expect(200).Items;
}

public sealed class PostgresSignInEventTests(PostgresDemoServer server) : SignInEventTests(server), IClassFixture<PostgresDemoServer>;
