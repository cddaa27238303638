using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Server.Doors.Management.Bodies;
using Atrium.Server.Keys;
using Atrium.Storage;

namespace Atrium.Server.Doors.Management.Operator;

/// <summary><c>/v1/realms</c>: the realms themselves, for who runs the installation.</summary>
public static class RealmsEndpoints
{
    private const int MaxNameLength = 200;

    private static readonly Field<string> Handle = Field.Text("handle", max: Handles.MaxLength)
        .Check(static handle => Handles.IsValid(handle) ? null : "/handle must be lower-case letters, digits and hyphens, with no hyphen at either end.")
        .Describe("The name in URLs: lower-case letters, digits and hyphens. It never changes.")
        .Required();

    private static readonly Field<string> NameOfNew = Field.Text("name", max: MaxNameLength)
        .Check(NameProblem)
        .Describe("The name for people; the handle unless said.");

    private static readonly Field<string> Name = Field.Text("name", max: MaxNameLength)
        .Check(NameProblem)
        .Describe("The name for people.")
        .Required();

    private static readonly Field<int?> EventRetention = Field.Whole("event_retention_days", RealmSettings.ShortestEventRetention, RealmSettings.LongestEventRetention)
        .Describe("How many days an event stays in the log; 365 unless said.");

    private static readonly Field<int?> SigningKeyDays = Field.Whole("signing_key_days", 0, RealmSettings.LongestSigningKeyDays)
        .Describe("How many days a signing key signs before the next one takes its place by itself; 30 unless said, 0 for ever.");

    private static readonly Field<SignUpPolicy?> Policy = Field.Choice<SignUpPolicy>("policy")
        .Describe("Who may make an account on the hosted pages; `invited_only` unless said.");

    private static readonly Field<IReadOnlyList<string>> Domains = Field
        .List("domains", Field.Text("domain", max: 253).Check(static domain => DomainName.Normalize(domain) is null ? "A domain has a name such as example.com." : null), SignUpSettings.MaxDomains)
        .Describe("The domains of `by_domain`, exactly these: a subdomain is named by itself.");

    private static readonly Field<bool?> CreatesOrganization = Field.Flag("creates_organization")
        .Describe("Whether who makes an account also makes an organization, and is its owner.");

    private static readonly Field<Body> SignUp = Field.Nested("sign_up", new Shape(Policy, Domains, CreatesOrganization))
        .Check(static signUp => signUp.Of(Policy) == SignUpPolicy.ByDomain && signUp.Of(Domains) is not { Count: > 0 } ? "by_domain needs the domains whose people it lets in." : null)
        .Describe("How people come to the realm by themselves.");

    private static readonly Field<bool?> EmailVerificationRequired = Field.Flag("email_verification_required")
        .Describe("Whether nobody signs in, through whatever door, before the e-mail address is verified. The AuthKit door asks for it in any case.");

    private static readonly Field<int?> MaxAge = Field.Whole("max_age", SessionSettings.Shortest, SessionSettings.LongestAge)
        .Describe("Seconds a session lasts at most; 604800 unless said.");

    private static readonly Field<int?> IdleTimeout = Field.Whole("idle_timeout", SessionSettings.Shortest, SessionSettings.LongestIdleTimeout)
        .Describe("Seconds after which a session that nobody uses is over; 43200 unless said.");

    private static readonly Field<Body> Sessions = Field.Nested("sessions", new Shape(MaxAge, IdleTimeout))
        .Describe("How long people stay signed in. A session keeps what held when it began.");

    private static readonly Field<Body> Settings = Field.Nested("settings", new Shape(EventRetention, SigningKeyDays, SignUp, EmailVerificationRequired, Sessions))
        .Describe("What holds for the whole realm.");

    private static readonly Shape New = new(Handle, NameOfNew, Settings);

    /// <summary>What can be said of a realm that is there, where what isn't said stays.</summary>
    internal static readonly Shape Declared = new(NameOfNew, Settings);

    internal static readonly Shape Known = new(Name, Settings);

    private static readonly Parameter<string> Confirm = Parameter.Text(
        Field.Text("confirm", max: Handles.MaxLength).Describe("The realm's handle, once more: everything in the realm is deleted with it."));

    public static void MapRealms(this IEndpointRouteBuilder door)
    {
        RouteGroupBuilder realms = door.MapGroup(ManagementDoor.RealmsPath).RequireOperatorKey().WithTags("Realms");
        realms.MapGet("", ListAsync).TakesPage<Realm>().WithSummary("Lists the realms.").AnswersMany<RealmResource>();
        realms.MapPost("", CreateAsync).Reads(New).WithSummary("Makes a realm, with its signing keys.").AnswersOne<RealmResource>(StatusCodes.Status201Created);
        realms.MapGet("/{realm}", GetAsync).WithSummary("Shows a realm.").AnswersOne<RealmResource>();
        realms.MapPatch("/{realm}", ChangeAsync).Patches(Known).WithSummary("Changes a realm's name or settings.").AnswersOne<RealmResource>();
        realms.MapDelete("/{realm}", DeleteAsync).Takes(Confirm)
            .WithSummary("Deletes a realm and everything in it. Nobody finds any of it from this moment on; what is stored goes little by little, within minutes or hours.")
            .AnswersNothing();
    }

    private static async Task<IResult> ListAsync(HttpContext context, RealmStore realms, CancellationToken cancellationToken)
    {
        return Many.Of(
            await realms.ListAsync(context.Page<Realm>(), cancellationToken), RealmResource.Of, ResourceJson.Default.RealmResource, static realm => realm.Id.ToString());
    }

    private static async Task<IResult> CreateAsync(HttpContext context, RealmStore realms, RealmKeys keys, TimeProvider clock, CancellationToken cancellationToken)
    {
        Body body = context.Body();
        DateTimeOffset now = clock.GetUtcNow();
        string handle = body.Of(Handle)!;
        Realm realm = new()
        {
            Id = Id<Realm>.New(clock),
            Handle = handle,
            Name = body.Of(NameOfNew) ?? handle,
            Settings = SettingsOf(body),
            CreatedAt = now,
            UpdatedAt = now,
        };
        return await realms.CreateAsync(realm, keys.MakeFor(realm), context.OperatorOrigin(), cancellationToken)
            ? Shown(realm, StatusCodes.Status201Created)
            : ManagementError.Conflict($"There is a realm \"{handle}\" already.");
    }

    private static async Task<IResult> GetAsync(string realm, RealmStore realms, CancellationToken cancellationToken) =>
        await FindAsync(realms, realm, cancellationToken) is { } found ? Shown(found) : ManagementError.NotFound;

    private static async Task<IResult> ChangeAsync(HttpContext context, string realm, RealmStore realms, TimeProvider clock, CancellationToken cancellationToken)
    {
        Patch patch = context.Patch();
        if (await FindAsync(realms, realm, cancellationToken) is not { } found)
            return ManagementError.NotFound;
        DateTimeOffset now = clock.GetUtcNow();
        Realm? changed = await realms.ChangeAsync(
            found,
            current => patch.TryLayOver(RealmResource.Of(current), ResourceJson.Default.RealmResource, Known, out Body? body)
                ? current with { Name = body.Of(Name)!, Settings = SettingsOf(body), UpdatedAt = now }
                : null,
            context.OperatorOrigin(),
            cancellationToken);
        return changed is null ? patch.Refusal ?? ManagementError.NotFound : Shown(changed);
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, string realm, RealmStore realms, TimeProvider clock, CancellationToken cancellationToken)
    {
        string? confirmed = context.Query(Confirm);
        if (await FindAsync(realms, realm, cancellationToken) is not { } found)
            return ManagementError.NotFound;
        if (confirmed != found.Handle)
            return ManagementError.Invalid($"Everything in the realm is deleted with it. Send \"confirm={found.Handle}\" in the query if that is meant.");
        Deletion deletion = new(context);
        return deletion.Answer(await realms.DeleteAsync(
            found,
            current => deletion.Allows(RealmResource.Of(current), ResourceJson.Default.RealmResource),
            clock.GetUtcNow(),
            context.OperatorOrigin(),
            cancellationToken));
    }

    private static Task<Realm?> FindAsync(RealmStore realms, string named, CancellationToken cancellationToken) =>
        Id<Realm>.Parse(named) is { } id ? realms.FindAsync(id, cancellationToken) : realms.FindByHandleAsync(named, cancellationToken);

    private static RealmSettings SettingsOf(Body body)
    {
        RealmSettings unsaid = new();
        return body.Of(Settings) is not { } settings
            ? unsaid
            : new RealmSettings
            {
                EventRetentionDays = settings.Of(EventRetention) ?? unsaid.EventRetentionDays,
                SigningKeyDays = settings.Of(SigningKeyDays) ?? unsaid.SigningKeyDays,
                SignUp = settings.Of(SignUp) is { } signUp ? SignUpOf(signUp) : unsaid.SignUp,
                Sessions = new SessionSettings
                {
                    MaxAge = settings.Of(Sessions)?.Of(MaxAge) ?? unsaid.Sessions.MaxAge,
                    IdleTimeout = settings.Of(Sessions)?.Of(IdleTimeout) ?? unsaid.Sessions.IdleTimeout,
                },
                EmailVerificationRequired = settings.Of(EmailVerificationRequired) ?? unsaid.EmailVerificationRequired,
            };
    }

    private static SignUpSettings SignUpOf(Body signUp) => new()
    {
        Policy = signUp.Of(Policy) ?? default,
        Domains = [.. (signUp.Of(Domains) ?? []).Select(DomainName.Normalize).OfType<string>().Distinct(StringComparer.Ordinal)],
        CreatesOrganization = signUp.Of(CreatesOrganization) ?? false,
    };

    private static string? NameProblem(string name) => TextRules.IsPlain(name) ? null : "/name must be on one line.";

    private static One<RealmResource> Shown(Realm realm, int status = StatusCodes.Status200OK) =>
        new(RealmResource.Of(realm), ResourceJson.Default.RealmResource, status);
}
