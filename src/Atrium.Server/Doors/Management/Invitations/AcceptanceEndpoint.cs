using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Core.Users;
using Atrium.Server.Doors.Management.Bodies;
using Atrium.Server.Http;
using Atrium.Server.Invitations;
using Atrium.Server.Passwords;
using Atrium.Storage;

namespace Atrium.Server.Doors.Management.Invitations;

/// <summary>
/// <c>POST /invitations/accept</c>: for a product that asks its people on pages of its own. Who accepts is whoever has the address: the back end
/// says so by handing on the secret of the letter, which nobody else has.
/// </summary>
public static class AcceptanceEndpoint
{
    /// <summary>Each round sees what another one did meanwhile; there are two people at most whom a round can lose against.</summary>
    private const int Rounds = 3;

    private static readonly Field<string> Token = Field.Text("token", max: 128).Describe("The secret of the link: its last part, or `{{token}}` of the template.").Required();

    private static readonly Field<string> GivenName = Name("given_name");

    private static readonly Field<string> FamilyName = Name("family_name");

    private static readonly Field<string> FullName = Name("name");

    private static readonly Field<Body> Profile = Field.Nested("profile", new Shape(GivenName, FamilyName, FullName)).Describe("The name of somebody who has no account yet.");

    private static readonly Field<string> Password = Field.Text("password", max: 8192)
        .Describe("The password of somebody who has no account yet, or none with a password. Without one they sign in by something else.");

    private static readonly Shape Accepted = new(Token, Profile, Password);

    public static void MapInvitationAcceptance(this RouteGroupBuilder realm) =>
        realm.MapPost("/invitations/accept", AcceptAsync).Needs(ApiScopes.InvitationsWrite).Reads(Accepted).WithTags("Invitations")
            .WithSummary("Accepts an invitation for the person of its address, who gets an account if there is none, with the address verified.")
            .AnswersOne<InvitationResource>();

    private static async Task<IResult> AcceptAsync(
        HttpContext context, InvitationDesk desk, PasswordHasher passwords, TimeProvider clock, CancellationToken cancellationToken)
    {
        Body body = context.Body();
        if (body.Of(Password) is { } password && PasswordPolicy.Check(password) is { } problem)
            return ManagementError.Unprocessable("/password", problem.Message);

        Secret token = new(body.Of(Token)!);
        string? hash = null;
        DateTimeOffset now = clock.GetUtcNow();
        for (int round = 0; round < Rounds; round++)
        {
            OpenedInvitation? opened = await desk.OpenAsync(context.Caller().Realm, token, cancellationToken);
            InvitationStep step = InvitationStep.Next(InvitationDesk.FactsOf(opened, opened?.Invited?.User, now));
            if (step is InvitationStep.Refuse refuse)
                return RefusalOf(refuse.Reason);
            User? existing = opened!.Invited?.User;
            if (existing is not null && opened.Invited!.PasswordHash is not null && body.Has(Password))
                return ManagementError.Conflict("The person of this address has an account with a password. Accept without one.");
            if (body.Of(Password) is { } chosen && (hash ??= await passwords.HashAsync(chosen, cancellationToken)) is null)
                return ManagementError.Unavailable(Unavailable.Hashing);
            AcceptanceResult result = existing is not null
                ? await desk.AcceptAsync(existing, token, hash, session: null, context.Origin<AcceptanceResult>(Answer), cancellationToken)
                : await desk.AcceptAsync(
                    opened.Invitation, PersonOf(body, hash), token, session: null, _ => context.Origin<AcceptanceResult>(Answer), cancellationToken);
            if (!result.IsOutdated)
                return Answer(result);
        }

        return ManagementError.Conflict("The invitation or the account was changed meanwhile. Try again.");

        IResult Answer(AcceptanceResult result) => result switch
        {
            { Invitation: { } accepted } => InvitationsEndpoints.Shown(accepted, now),
            { Refusal: { } refusal } => RefusalOf(refusal),
            _ => ManagementError.Conflict("The invitation or the account was changed meanwhile. Try again."),
        };
    }

    private static NewPerson PersonOf(Body body, string? passwordHash)
    {
        Body? profile = body.Of(Profile);
        return new NewPerson(profile?.Of(GivenName), profile?.Of(FamilyName), profile?.Of(FullName), passwordHash);
    }

    private static ManagementError RefusalOf(InvitationRefusal reason) => reason switch
    {
        InvitationRefusal.Unknown => ManagementError.NotFound,
        InvitationRefusal.Accepted => ManagementError.Conflict("The invitation was accepted before."),
        InvitationRefusal.Revoked => ManagementError.Conflict("The invitation was taken back."),
        InvitationRefusal.Expired => ManagementError.Conflict("The invitation has expired. It can be sent again."),
        InvitationRefusal.Frozen => ManagementError.Conflict("The organization is suspended, and so are its invitations until it is active again."),
        InvitationRefusal.UserDisabled => ManagementError.Conflict("The account of this address is disabled."),
        InvitationRefusal.Full => ManagementError.Conflict("The organization has as many members as it may."),
        _ => ManagementError.Conflict("The person's membership of the organization is suspended."),
    };

    private static Field<string> Name(string name) => Field.Text(name, max: TextRules.MaxNameLength).Check(InvitationsEndpoints.Plain(name));
}
