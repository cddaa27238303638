using System.CommandLine;
using System.Text.Json.Nodes;

namespace Atrium.Server.Cli.Remote;

/// <summary>The verbs about people, and about what is theirs.</summary>
internal sealed class UserCommands(Shell shell, Access access)
{
    public IEnumerable<Command> All()
    {
        ResourceVerbs verbs = new(Resources.Users, shell, access.OpenRealm);
        BodyField[] fields =
        [
            BodyField.Flag("--email-verified", "email_verified", "The address is known to be theirs."),
            BodyField.Text("--username", "username", "A name to sign in with beside the address."),
            BodyField.Text("--given-name", "profile.given_name", "The given name."),
            BodyField.Text("--family-name", "profile.family_name", "The family name."),
            BodyField.Text("--name", "profile.name", "The whole name."),
            BodyField.Text("--external-id", "external_id", "Their id in your own system."),
            BodyField.Any(),
        ];
        BodyField password = Password();
        yield return verbs.List(
            new Option<string?>("--email") { Description = "Only whoever has this address." },
            new Option<string?>("--status") { Description = "Only those: active or disabled." });
        yield return verbs.Show();
        yield return verbs.Create("Makes a user.", [BodyField.Text("--email", "email", "Their address.", required: true), password, .. fields]);
        yield return verbs.Update([BodyField.Text("--email", "email", "Their address."), .. fields]);
        yield return verbs.Act("password", "Gives a user another password: one line of the standard input.", "password", Password(always: true));
        yield return verbs.Change("disable", "Ends all that is theirs, and lets them in no more.", new JsonObject { ["status"] = "disabled" });
        yield return verbs.Change("enable", "Lets a disabled user in again.", new JsonObject { ["status"] = "active" });
        yield return verbs.Delete();
        yield return Of(Resources.Memberships).ListAs("memberships", "Lists the organizations of a user.");
        yield return new Command("sessions", "Where a user is signed in.") { Of(Resources.Sessions).List(), Of(Resources.Sessions).Show(), Of(Resources.Sessions).Delete("end") };
        yield return new Command("factors", "Second factors of a user.") { Of(Resources.Factors).List(), Of(Resources.Factors).Delete() };
    }

    /// <summary>A password comes from the standard input: a command line is seen by everybody on the machine, and kept by the shell.</summary>
    private BodyField Password(bool always = false)
    {
        Option<bool> fromInput = new("--password-stdin") { Description = "The password is one line of the standard input." };
        return new BodyField(fromInput, (parsed, body) =>
        {
            if (always || parsed.GetValue(fromInput))
                body["password"] = shell.Input.ReadLine() is { Length: > 0 } line ? line : throw new Refusal("There is no password on the standard input.", ExitCode.Usage);
        });
    }

    private ResourceVerbs Of(Resource resource) => new(resource, shell, access.OpenRealm);
}
