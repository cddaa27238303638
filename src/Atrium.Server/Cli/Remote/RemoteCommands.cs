using System.CommandLine;
using System.Text.Json.Nodes;
using Atrium.Core.Clients;
using Atrium.Server.Cli.Remote.Apply;

namespace Atrium.Server.Cli.Remote;

/// <summary>The verbs that work over the management API, on any machine that reaches the server.</summary>
internal sealed class RemoteCommands(Shell shell, Access access, AdministrationCommands first, ClientAdministration clients, OperatorKeyCommands operators)
{
    private static readonly JsonObject Active = new() { ["status"] = "active" };
    private static readonly JsonObject Suspended = new() { ["status"] = "suspended" };
    private static readonly JsonObject Disabled = new() { ["status"] = "disabled" };

    public IEnumerable<Command> All()
    {
        yield return Group("realms", "Isolated pools of users, organizations, clients and keys.", access.OfOperator, [first.CreateRealm(), .. Realms()]);
        yield return OfRealm("orgs", "Organizations, the customers of the product.", [.. Organizations()]);
        yield return OfRealm("members", "Who belongs to an organization, and what for.", [.. Members()]);
        yield return OfRealm("roles", "What scopes mean, in the realm or in one organization.", [.. Roles()]);
        yield return OfRealm("domains", "Domains of an organization.", [.. Domains()]);
        yield return OfRealm("invitations", "People asked to join an organization.", [.. Invitations()]);
        yield return OfRealm("users", "People.", [.. Users()]);
        yield return OfRealm("clients", "Applications.", [.. Clients()]);
        yield return OfRealm("keys", "Keys for back ends.", [first.CreateKey(), .. Keys()]);
        yield return OfRealm("signing-keys", "Keys that sign tokens.", [.. SigningKeys()]);
        yield return OfRealm("connections", "Ways to sign in elsewhere.", [.. Connections()]);
        yield return OfRealm("webhooks", "Where events are sent.", [.. Webhooks()]);
        yield return access.OfRealm(new EventsCommand(shell, access).Build());
        yield return access.OfRealm(new ExplainCommand(shell, access).Build());
        yield return access.OfRealmAndOperator(new ApplyCommand(shell, access).Build());
    }

    private IEnumerable<Command> Realms()
    {
        ResourceVerbs verbs = new(Resources.Realms, shell, access.OpenOperator);
        yield return verbs.List();
        yield return verbs.Show();
        yield return verbs.Update(BodyField.Text("--name", "name", "The name for people."), BodyField.Any());
        yield return verbs.Delete(confirm: "confirm");
    }

    private IEnumerable<Command> Organizations()
    {
        ResourceVerbs verbs = Of(Resources.Organizations);
        BodyField[] fields =
        [
            BodyField.Text("--handle", "handle", "The name in URLs."),
            BodyField.Text("--parent", "parent_id", "The id of the organization that it belongs to."),
            BodyField.Text("--external-id", "external_id", "Its id in your own system."),
            BodyField.Any(),
        ];
        yield return verbs.List(Filter("--status", "active or suspended."));
        yield return verbs.Show();
        yield return verbs.Create("Makes an organization.", [BodyField.Text("--name", "name", "The name for people.", required: true), .. fields]);
        yield return verbs.Update([BodyField.Text("--name", "name", "The name for people."), .. fields]);
        yield return verbs.Change(
            "suspend", "Takes an organization out of every new token; nobody is signed out.", Suspended, BodyField.Text("--reason", "status_reason", "Why, for whoever looks at it later."));
        yield return verbs.Change("activate", "Lets a suspended organization be used again.", Active);
        yield return verbs.Delete();
    }

    private IEnumerable<Command> Members()
    {
        ResourceVerbs verbs = Of(Resources.Members);
        Argument<string> user = new("user") { Description = Resources.Users.Naming };
        BodyField[] fields =
        [
            BodyField.List("--scope", "scopes", "What they may do there, such as a role's slug. Several: --scope admin --scope billing:write"),
            BodyField.Text("--title", "title", "What they are there."),
            BodyField.Choice("--status", "status", "How the membership stands.", "pending", "active", "suspended"),
            BodyField.Any(),
        ];
        yield return verbs.List(Filter("--status", "pending, active or suspended."));
        yield return verbs.Show();
        yield return verbs.Verb("add", "Makes a user a member of an organization.", [user, .. fields.Select(static field => field.Option)], async (call, cancellationToken) =>
        {
            string id = await Resources.Users.ResolveAsync(call.Api, call.Parsed.GetRequiredValue(user), parentId: null, cancellationToken);
            return await verbs.CreateAsync(call, [.. fields, new BodyField(fields[0].Option, (_, body) => body["user_id"] = id)], cancellationToken);
        });
        yield return verbs.Update(fields);
        yield return verbs.Change("suspend", "Keeps a membership out of every new token.", Suspended);
        yield return verbs.Change("activate", "Lets a suspended membership be used again.", Active);
        yield return verbs.Delete("remove");
    }

    private IEnumerable<Command> Roles()
    {
        ResourceVerbs verbs = Of(Resources.Roles);
        BodyField[] fields = [BodyField.List("--permission", "permissions", "What the role brings with it; may be given several times."), BodyField.Any()];
        yield return verbs.List();
        yield return verbs.Show();
        yield return verbs.Create(
            "Makes a role.",
            [BodyField.Text("--slug", "slug", "The scope that is this role.", required: true), BodyField.Text("--name", "name", "The name for people.", required: true), .. fields]);
        yield return verbs.Update([BodyField.Text("--name", "name", "The name for people."), .. fields]);
        yield return verbs.Delete();
    }

    private IEnumerable<Command> Domains()
    {
        ResourceVerbs verbs = Of(Resources.Domains);
        yield return verbs.List();
        yield return verbs.Show();
        yield return verbs.Create("Adds a domain, and says what to write in its DNS.", BodyField.Text("--domain", "domain", "Such as example.com.", required: true), BodyField.Any());
        yield return verbs.Act("verify", "Looks in the DNS whether the domain is theirs.", "verify");
        yield return verbs.Delete();
    }

    private IEnumerable<Command> Invitations()
    {
        ResourceVerbs verbs = Of(Resources.Invitations);
        yield return verbs.List();
        yield return verbs.Show();
        yield return verbs.Create(
            "Asks somebody by mail to join an organization.",
            BodyField.Text("--email", "email_invited", "Who is asked.", required: true),
            BodyField.List("--scope", "scopes", "What they may do there; may be given several times.", required: true),
            BodyField.Text("--title", "user_title", "What they are there."),
            BodyField.Text("--message", "message", "What the mail says beside the link."),
            BodyField.Text("--inviter", "inviter.name", "Who asks."),
            BodyField.Whole("--expires-in-seconds", "expires_in_seconds", "How long the link works."),
            BodyField.Any());
        yield return verbs.Act("resend", "Sends the mail again, with a new link.", "resend");
        yield return verbs.Act("revoke", "Makes the link worthless.", "revoke");
    }

    private IEnumerable<Command> Clients()
    {
        ResourceVerbs verbs = Of(Resources.Clients);
        Argument<string> organization = new("organization") { Description = Resources.Organizations.Naming };
        yield return verbs.List();
        yield return verbs.Show();
        yield return clients.Create();
        yield return verbs.Update(
            BodyField.Text("--name", "name", "What people see when they sign in."),
            BodyField.List("--redirect-uri", "redirect_uris", "Where the answer may go; all of them."),
            BodyField.List("--post-logout-redirect-uri", "post_logout_redirect_uris", "Where a sign-out may lead; all of them."),
            BodyField.Any());
        yield return clients.SetStatus("disable", "Refuses everything that a client asks for, its tokens' renewal too.", ClientStatus.Disabled);
        yield return clients.SetStatus("enable", "Lets a disabled client be used again.", ClientStatus.Active);
        yield return verbs.Act("rotate-secret", "Makes a new secret, shows it once, and lets the old one be used a while longer.", "rotate-secret");
        yield return Of(Resources.Shares).ListAs("organizations", "Lists the organizations that a client is shared with one by one.");
        yield return verbs.OfOne("share", "Lets an organization's people sign in with a client that is shared with selected ones.", [organization], async (call, path, cancellationToken) =>
        {
            await call.Api.PutAsync($"{path}/organizations/{await OrganizationAsync(call, cancellationToken)}", body: null, ifMatch: null, cancellationToken);
            return call.Done($"{call.Parsed.GetRequiredValue(organization)} can sign in with it.");
        });
        yield return verbs.OfOne("unshare", "Takes that back.", [organization], async (call, path, cancellationToken) =>
        {
            await call.Api.DeleteAsync($"{path}/organizations/{await OrganizationAsync(call, cancellationToken)}", ifMatch: null, cancellationToken);
            return call.Done($"{call.Parsed.GetRequiredValue(organization)} can't sign in with it.");
        });
        yield return verbs.Delete();

        async Task<string> OrganizationAsync(Call call, CancellationToken cancellationToken) =>
            await Resources.Organizations.ResolveAsync(call.Api, call.Parsed.GetRequiredValue(organization), parentId: null, cancellationToken);
    }

    private IEnumerable<Command> Keys()
    {
        ResourceVerbs verbs = Of(Resources.ApiKeys);
        yield return operators.OrList(verbs.List());
        yield return verbs.Show();
        yield return verbs.Update(
            BodyField.Text("--name", "name", "What the key is for."),
            BodyField.List("--scope", "scopes", "What the key may do; all of it."),
            BodyField.Moment("--expires-at", "expires_at", "When it ends by itself.", shell.Clock),
            BodyField.Any());
        yield return verbs.Act("rotate", "Makes a new secret, shows it once, and lets the old one be used a while longer.", "rotate");
        yield return operators.OrDelete(verbs.Delete());
    }

    private IEnumerable<Command> SigningKeys()
    {
        ResourceVerbs verbs = Of(Resources.SigningKeys);
        yield return verbs.List();
        yield return verbs.Verb("rotate", "Brings a new key in; the old one verifies until its last token has expired.", [], async (call, cancellationToken) =>
        {
            call.Show(Resources.SigningKeys.Columns, (await call.Api.PostAsync("/signing-keys/rotate", body: null, cancellationToken)).Data);
            return ExitCode.Done;
        });
    }

    private IEnumerable<Command> Connections()
    {
        ResourceVerbs verbs = Of(Resources.Connections);
        yield return verbs.List();
        yield return verbs.Show();
        yield return verbs.Create(
            "Makes a connection.",
            BodyField.Choice("--type", "type", "Where people come from.", "oidc", "saml", "google", "microsoft", "github", "apple"),
            BodyField.Text("--name", "name", "The name for people.", required: true),
            BodyField.Text("--organization-id", "organization_id", "Whose it is; the realm's otherwise."),
            BodyField.Any());
        yield return verbs.Update(BodyField.Text("--name", "name", "The name for people."), BodyField.Any());
        yield return verbs.Delete();
    }

    private IEnumerable<Command> Webhooks()
    {
        ResourceVerbs verbs = Of(Resources.Webhooks);
        BodyField[] fields =
        [
            BodyField.List("--event", "events", "The types that are sent, such as user.created or organization.*; may be given several times."),
            BodyField.Choice("--dialect", "dialect", "What a message looks like.", "standard", "cloudevents", "authkit"),
            BodyField.Any(),
        ];
        yield return verbs.List();
        yield return verbs.Show();
        yield return verbs.Create(
            "Makes an endpoint and shows its secret once.",
            [BodyField.Text("--name", "name", "What it is for.", required: true), BodyField.Text("--url", "url", "Where events are sent.", required: true), .. fields]);
        yield return verbs.Update([BodyField.Text("--name", "name", "What it is for."), BodyField.Text("--url", "url", "Where events are sent."), .. fields]);
        yield return verbs.Change("disable", "Sends nothing more.", Disabled, BodyField.Text("--reason", "status_reason", "Why, for whoever looks at it later."));
        yield return verbs.Change("enable", "Sends again.", Active);
        yield return verbs.Act(
            "rotate-secret",
            "Makes a new secret and shows it once; for a while deliveries are signed with both.",
            "rotate-secret",
            BodyField.Whole("--overlap-seconds", "overlap_seconds", "How long the old one is used beside it."));
        yield return verbs.Delete();
        yield return Of(Resources.Deliveries).ListAs("deliveries", "Lists what was sent, and how it was answered.", Filter("--status", "as the column says it."));
        yield return Of(Resources.Deliveries).Show("delivery");
        Argument<string> delivery = new("delivery") { Description = "Its id." };
        yield return verbs.Verb("redeliver", "Sends a delivery once more.", [delivery], async (call, cancellationToken) =>
        {
            call.Show((await call.Api.PostAsync($"/deliveries/{Uri.EscapeDataString(call.Parsed.GetRequiredValue(delivery))}/redeliver", body: null, cancellationToken)).Data);
            return ExitCode.Done;
        });
    }

    private IEnumerable<Command> Users() => new UserCommands(shell, access).All();

    private ResourceVerbs Of(Resource resource) => new(resource, shell, access.OpenRealm);

    private Command OfRealm(string name, string description, Command[] verbs) => Group(name, description, access.OfRealm, verbs);

    private static Command Group(string name, string description, Func<Command, Command> callable, Command[] verbs)
    {
        Command group = callable(new Command(name, description));
        group.Add(Call.Json);
        foreach (Command verb in verbs)
            group.Add(verb);
        return group;
    }

    private static Option<string?> Filter(string option, string description) => new(option) { Description = $"Only those: {description}" };
}
