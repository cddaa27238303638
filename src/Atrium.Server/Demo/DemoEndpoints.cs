using Atrium.Server.Hosting;
using Atrium.Server.Pages;

namespace Atrium.Server.Demo;

/// <summary>The demo's front page: what there is to try, and how.</summary>
public static class DemoEndpoints
{
    public static void MapDemo(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/", static (PublicUrl publicUrl) => PageResult.Demo(Model(publicUrl.Base)));
        DemoMail.Map(routes);
    }

    private static DemoModel Model(string url) => new(
        Realm: "Acme",
        Address: url,
        Password: DemoRealm.Password,
        Links:
        [
            new PageLink("OpenID Connect metadata", $"{url}/t/{DemoRealm.Handle}/.well-known/openid-configuration"),
            new PageLink("Signing keys", $"{url}/t/{DemoRealm.Handle}/jwks.json"),
            new PageLink("Mail that was sent", $"{url}{DemoMail.Path}"),
        ],
        Walks: DemoWalks.At(url),
        People:
        [
            new DemoPerson(
                "mia@example.test",
                [
                    new DemoMembership("Northwind", "owner, billing:write"),
                    new DemoMembership("Contoso", "member, projects:read"),
                    new DemoMembership("Fabrikam", "member", "suspended"),
                    new DemoMembership("Tailspin", "member", "organization suspended"),
                ],
                "Two of her four memberships count: one is suspended, and so is Tailspin."),
            new DemoPerson("sam@example.test", [new DemoMembership("Northwind", "member")], "In one organization: nothing to choose."),
            new DemoPerson(
                "tom@example.test", [new DemoMembership("Contoso", "admin")], $"Has a second factor; put the secret {DemoRealm.TotpSecret} into an authenticator app."),
            new DemoPerson("zoe@example.test", [], "Belongs to no organization, and can sign in all the same."),
        ],
        Organizations:
        [
            new DemoOrganization("Northwind", "northwind", "northwind.test"),
            new DemoOrganization("Contoso", "contoso", "contoso.test"),
            new DemoOrganization("Fabrikam", "fabrikam"),
            new DemoOrganization("Tailspin", "tailspin", Status: "suspended"),
        ],
        Clients:
        [
            new DemoClient("demo-web", "OAuth, public, PKCE", Callback: DemoRealm.Callback),
            new DemoClient("demo-server", "OAuth, confidential", DemoRealm.ServerSecret, DemoRealm.Callback),
            new DemoClient("demo-m2m", "OAuth, client credentials", DemoRealm.MachineSecret),
            new DemoClient("demo-authkit", "AuthKit", Callback: DemoRealm.Callback),
            new DemoClient("demo-native", "App-native: password, or the organization first", Callback: DemoRealm.NativeCallback),
            new DemoClient("demo-native-mfa", "App-native: password, then a code", Callback: DemoRealm.NativeCallback),
            new DemoClient("demo-native-off", "App-native, not enabled", Callback: DemoRealm.NativeCallback),
        ],
        Keys: [new DemoKey(DemoRealm.ApiKey, "everything in the realm acme"), new DemoKey(DemoRealm.NeighbourApiKey, "everything in the realm globex, and nothing here")]);
}
