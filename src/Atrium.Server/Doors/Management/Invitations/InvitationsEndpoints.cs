using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Core.Users;
using Atrium.Server.Doors.Management.Bodies;
using Atrium.Server.Invitations;
using Atrium.Storage;

namespace Atrium.Server.Doors.Management.Invitations;

/// <summary><c>/organizations/{id}/invitations</c>: letters that ask somebody to join.</summary>
public static class InvitationsEndpoints
{
    private const string Path = "/organizations/{organization}/invitations";

    private static readonly Field<string> Email = Field.Text("email_invited", max: EmailAddress.MaxLength)
        .Check(static address => EmailAddress.IsValid(address) ? null : "email_invited must be an e-mail address.")
        .Describe("Where the letter goes; kept lower-case. Only the person of this address can accept.")
        .Required();

    private static readonly Field<IReadOnlyList<string>> Scopes =
        Field.List("scopes", Field.Text("scope", max: 100).Check(Plain("A scope")), max: 100, min: 1)
            .Describe("What the membership will have; the organization's default_member_scopes unless said.");

    private static readonly Field<string> Title = Field.Text("user_title", max: TextRules.MaxNameLength).Check(Plain("user_title"))
        .Describe("The title that the membership will have.");

    private static readonly Field<string> Message = Field.Text("message", max: Invitation.MaxMessageLength)
        .Check(static text => text.All(static c => !char.IsControl(c) || c is '\n' or '\r' or '\t') ? null : "message has control characters.")
        .Describe("A few words to the person.");

    private static readonly Field<string> InviterName = Field.Text("name", max: TextRules.MaxNameLength).Check(Plain("name")).Required();

    private static readonly Field<Body> Inviter = Field.Nested("inviter", new Shape(InviterName)).Describe("Who invites, as the letter says it.");

    private static readonly Field<int?> ExpiresIn = Field
        .Whole("expires_in_seconds", (int)Invitation.ShortestLifetime.TotalSeconds, (int)Invitation.LongestLifetime.TotalSeconds)
        .Describe("How long it stands; seven days unless said.");

    private static readonly Field<IReadOnlyDictionary<string, string>> Metadata = Field
        .Map("metadata", TextRules.MaxMetadataPairs, TextRules.MaxMetadataKeyLength, TextRules.MaxMetadataValueLength)
        .Check(static pairs => pairs.All(static pair => TextRules.IsMetadata(pair.Key, pair.Value)) ? null : "metadata has names in plain ASCII, and values without zero characters.")
        .Describe("What the product keeps with it.");

    private static readonly Shape Made = new(Email, Scopes, Title, Message, Inviter, ExpiresIn, Metadata);

    private static readonly Field<int?> ExpiresInFromNow = ExpiresIn.Describe("How long it stands from now on; as long as before unless said.");

    private static readonly Shape SentAgain = new(ExpiresInFromNow);

    public static void MapInvitations(this RouteGroupBuilder realm)
    {
        RouteGroupBuilder invitations = realm.MapGroup(Path).WithTags("Invitations");
        invitations.MapGet("", ListAsync).Needs(ApiScopes.InvitationsRead).TakesPage<Invitation>().WithSummary("Lists the invitations of an organization.").AnswersMany<InvitationResource>();
        invitations.MapPost("", CreateAsync).Needs(ApiScopes.InvitationsWrite).Reads(Made)
            .WithSummary("Invites somebody to an organization, by mail.").AnswersOne<InvitationResource>(StatusCodes.Status201Created);
        invitations.MapGet("/{id}", GetAsync).Needs(ApiScopes.InvitationsRead).WithSummary("Shows an invitation.").AnswersOne<InvitationResource>();
        invitations.MapPost("/{id}/resend", ResendAsync).Needs(ApiScopes.InvitationsWrite).Reads(SentAgain)
            .WithSummary("Sends an invitation again: with a new link, for its whole time once more. The link before opens nothing.").AnswersOne<InvitationResource>();
        invitations.MapPost("/{id}/revoke", RevokeAsync).Needs(ApiScopes.InvitationsWrite).Reads(Shape.Empty)
            .WithSummary("Takes an invitation back; its link opens nothing any more.").AnswersOne<InvitationResource>();
        realm.MapInvitationAcceptance();
    }

    /// <summary>The invitation as it is answered, or why it isn't there.</summary>
    internal static IResult Answer(InvitationChange change, DateTimeOffset now, int status = StatusCodes.Status200OK) => change.Outcome switch
    {
        InvitationWrite.Done => Shown(change.Invitation!, now, status),
        InvitationWrite.NotFound => ManagementError.NotFound,
        InvitationWrite.Frozen => ManagementError.Conflict("The organization is suspended, and so are its invitations until it is active again."),
        InvitationWrite.AlreadyMember => ManagementError.Conflict("The person of this address is a member of the organization already."),
        InvitationWrite.AlreadyInvited => ManagementError.Conflict("This address has a pending invitation to the organization. Send that again, or take it back."),
        _ => ManagementError.Conflict("The invitation was accepted, or taken back."),
    };

    internal static One<InvitationResource> Shown(Invitation invitation, DateTimeOffset now, int status = StatusCodes.Status200OK) =>
        new(InvitationResource.Of(invitation, now), ResourceJson.Default.InvitationResource, status);

    internal static Func<string, string?> Plain(string name) => text => TextRules.IsPlain(text) ? null : $"{name} must be on one line, without control characters.";

    private static async Task<IResult> ListAsync(
        HttpContext context, string organization, OrganizationStore organizations, InvitationStore store, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (await OrganizationAsync(context, organization, organizations, cancellationToken) is not { } found)
            return ManagementError.NotFound;
        DateTimeOffset now = clock.GetUtcNow();
        return Many.Of(
            await store.ListAsync(found.RealmId, found.Id, context.Page<Invitation>(), cancellationToken),
            invitation => InvitationResource.Of(invitation, now),
            ResourceJson.Default.InvitationResource,
            static invitation => invitation.Id.ToString());
    }

    private static async Task<IResult> CreateAsync(
        HttpContext context,
        string organization,
        OrganizationStore organizations,
        RealmDirectory realms,
        InvitationDesk desk,
        TimeProvider clock,
        CancellationToken cancellationToken)
    {
        Body body = context.Body();
        if (await OrganizationAsync(context, organization, organizations, cancellationToken) is not { } found
            || await realms.RealmAsync(found.RealmId, cancellationToken) is not { } realm)
        {
            return ManagementError.NotFound;
        }

        IReadOnlyList<string> scopes = [.. (body.Of(Scopes) ?? found.Settings.DefaultMemberScopes).Distinct(StringComparer.Ordinal)];
        if (scopes.Count == 0)
            return ManagementError.Unprocessable("/scopes", "/scopes is missing, and the organization has no default_member_scopes.");
        DateTimeOffset now = clock.GetUtcNow();
        TimeSpan lifetime = body.Of(ExpiresIn) is { } seconds ? TimeSpan.FromSeconds(seconds) : Invitation.DefaultLifetime;
        Invitation invitation = new()
        {
            RealmId = found.RealmId,
            Id = Id<Invitation>.New(clock),
            OrganizationId = found.Id,
            Email = EmailAddress.Normalize(body.Of(Email)!),
            Scopes = scopes,
            Title = body.Of(Title),
            Message = body.Of(Message),
            InviterName = body.Of(Inviter)?.Of(InviterName),
            Metadata = body.Of(Metadata) ?? new Dictionary<string, string>(),
            LifetimeSeconds = (long)lifetime.TotalSeconds,
            CreatedAt = now,
            UpdatedAt = now,
            ExpiresAt = now + lifetime,
        };
        IResult Made(InvitationChange change) => Answer(change, now, StatusCodes.Status201Created);
        return Made(await desk.CreateAsync(realm, found, invitation, context.Origin<InvitationChange>(Made), cancellationToken));
    }

    private static async Task<IResult> GetAsync(
        HttpContext context, string organization, string id, InvitationStore store, TimeProvider clock, CancellationToken cancellationToken) =>
        await FindAsync(context, organization, id, store, cancellationToken) is { } invitation ? Shown(invitation, clock.GetUtcNow()) : ManagementError.NotFound;

    private static async Task<IResult> ResendAsync(
        HttpContext context,
        string organization,
        string id,
        OrganizationStore organizations,
        RealmDirectory realms,
        InvitationStore store,
        InvitationDesk desk,
        TimeProvider clock,
        CancellationToken cancellationToken)
    {
        Body body = context.Body();
        if (await OrganizationAsync(context, organization, organizations, cancellationToken) is not { } found
            || await realms.RealmAsync(found.RealmId, cancellationToken) is not { } realm
            || await FindAsync(context, organization, id, store, cancellationToken) is not { } invitation)
        {
            return ManagementError.NotFound;
        }

        TimeSpan? lifetime = body.Of(ExpiresInFromNow) is { } seconds ? TimeSpan.FromSeconds(seconds) : null;
        DateTimeOffset now = clock.GetUtcNow();
        IResult Sent(InvitationChange change) => Answer(change, now);
        return Sent(await desk.ResendAsync(realm, found, invitation, lifetime, context.Origin<InvitationChange>(Sent), cancellationToken));
    }

    private static async Task<IResult> RevokeAsync(
        HttpContext context, string organization, string id, InvitationStore store, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (await FindAsync(context, organization, id, store, cancellationToken) is not { } invitation)
            return ManagementError.NotFound;
        DateTimeOffset now = clock.GetUtcNow();
        IResult Revoked(InvitationChange change) => Answer(change, now);
        return Revoked(await store.RevokeAsync(invitation, now, context.Origin<InvitationChange>(Revoked), cancellationToken));
    }

    private static async Task<Organization?> OrganizationAsync(HttpContext context, string id, OrganizationStore organizations, CancellationToken cancellationToken) =>
        Id<Organization>.Parse(id) is { } known ? await organizations.FindAsync(context.Caller().Realm, known, cancellationToken) : null;

    private static async Task<Invitation?> FindAsync(HttpContext context, string organization, string id, InvitationStore store, CancellationToken cancellationToken) =>
        Id<Organization>.Parse(organization) is { } of && Id<Invitation>.Parse(id) is { } known
            ? await store.FindAsync(context.Caller().Realm, of, known, cancellationToken)
            : null;
}
