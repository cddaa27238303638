using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Server.Doors.Management.Bodies;
using Atrium.Server.SignIns;
using Atrium.Storage;

namespace Atrium.Server.Doors.Management.Explain;

/// <summary><c>POST /explain/sign-in</c>: why can't this person sign in, and what would the token say?</summary>
public static class ExplainEndpoint
{
    private static readonly Field<string> Person = Field.Text("user", max: 320).Describe("The person: an id, an e-mail address or a username.").Required();

    private static readonly Field<string> ClientId = Field.Text("client_id", max: 200).Describe("The application that asks: its `client_id`.").Required();

    private static readonly Field<string> Organization = Field.Text("organization", max: 63).Describe("The organization, by its id or handle; leave it out to see what happens without one.");

    private static readonly Field<Door?> DoorOf = Field.Choice("door", ("oauth", Door.OAuth), ("authkit", Door.AuthKit), ("app_native", Door.AppNative))
        .Describe("The wire format that it comes through; the one that the client is set up for unless said.");

    private static readonly Shape Question = new(Person, ClientId, Organization, DoorOf);

    public static void MapExplain(this RouteGroupBuilder realm) => realm.MapPost("/explain/sign-in", ExplainAsync).WithTags("Explain")
        .WithName("explainSignIn").Needs(ApiScopes.ExplainRead).Reads(Question)
        .WithSummary("Says why somebody can or can't sign in to an organization with a client, and what the token would say. Nothing is changed.")
        .AnswersOne<ExplanationResource>();

    private static async Task<IResult> ExplainAsync(
        HttpContext context,
        RealmDirectory directory,
        UserStore users,
        OrganizationStore organizations,
        SignInExplainer explainer,
        CancellationToken cancellationToken)
    {
        Body body = context.Body();
        Realm realm = (await directory.RealmAsync(context.Caller().Realm, cancellationToken))!;
        List<Problem> problems = [];
        User? user = Id<User>.Parse(body.Of(Person)) is { } id
            ? await users.FindAsync(realm.Id, id, cancellationToken)
            : await users.FindByEmailOrUsernameAsync(realm.Id, body.Of(Person)!, cancellationToken);
        if (user is null)
            problems.Add(new Problem("/user", "There is nobody of that id, e-mail address or username in this realm."));
        Client? client = await directory.ClientAsync(realm, body.Of(ClientId)!, cancellationToken);
        if (client is null)
            problems.Add(new Problem("/client_id", "There is no client of that client_id in this realm."));
        else if (client.Type == ClientType.M2M)
            problems.Add(new Problem("/client_id", "The client speaks for itself: nobody signs in to it."));
        (Id<Organization>, Organization?)? wanted = null;
        if (body.Of(Organization) is { } named)
        {
            Id<Organization>? parsed = Id<Organization>.Parse(named);
            Organization? found = parsed is { } known
                ? await organizations.FindAsync(realm.Id, known, cancellationToken)
                : await organizations.FindByHandleAsync(realm.Id, named, cancellationToken);
            if (found is null && parsed is null)
                problems.Add(new Problem("/organization", "There is no organization of that handle in this realm."));
            wanted = (found?.Id ?? parsed ?? default, found);
        }

        if (problems.Count > 0)
            return ManagementError.Unprocessable(problems);
        Door door = body.Of(DoorOf) ?? (client!.Settings.Authkit.Enabled ? Door.AuthKit : client.Settings.AppNative.Enabled ? Door.AppNative : Door.OAuth);
        return new One<ExplanationResource>(
            await explainer.ExplainAsync(realm, user!, client!, door, wanted, cancellationToken), ResourceJson.Default.ExplanationResource);
    }
}
