import type { Request } from "express";
import type { JobState } from "../../engine/index.ts";
import { type QueueName, queueNames, queues } from "../../jobs/queues.ts";

/** The texts of the board's own pages. */
export interface Messages {
  lang: "en" | "ru";
  /** Bull Board's name of the language. */
  locale: string;
  login: Record<"title" | "who" | "label" | "hint" | "button" | "refused", string>;
  reason: Record<"title" | "why" | "label" | "button" | "given" | "clear" | "back", string>;
  board: Record<
    "title" | "readOnly" | "reference" | "reason" | "owner" | "runbook" | "paused" | "by" | "deletedUser",
    string
  >;
  job: Record<
    | "queue"
    | "unknownKind"
    | "reason"
    | "again"
    | "cancel"
    | "outcomeUnknown"
    | "stopRequested"
    | "parts"
    | "failedRuns"
    | "none"
    | "noSuch"
    | "noSuchWhy"
    | "allQueues"
    | "rule",
    string
  > & {
    facts: Record<Fact, string>;
    runs: readonly string[];
    newest: readonly string[];
    states: Record<JobState, string>;
    of: string;
  };
  queues: Record<QueueName, string>;
}

export type Fact =
  | "id"
  | "entity"
  | "actor"
  | "parent"
  | "request"
  | "progress"
  | "failures"
  | "enqueued"
  | "readyAt"
  | "started"
  | "ended"
  | "cancelled"
  | "error"
  | "result";

const en: Messages = {
  lang: "en",
  locale: "en-US",
  login: {
    title: "Jobs",
    who: "For staff: employees may read, operators and admins may act.",
    label: "Access token",
    hint: "Paste the token of an employee or admin",
    button: "Log in",
    refused: "The token was refused",
  },
  reason: {
    title: "Why?",
    why: "An act that cannot be undone or affects many jobs (removing, emptying, pausing, retrying all) needs a reason. The audit log records it with every such act of the next 15 minutes.",
    label: "Reason",
    button: "Continue with this reason",
    given: "Until then it is",
    clear: "I am done",
    back: "All queues",
  },
  board: {
    title: "Jobs",
    readOnly: "Jobs (read only)",
    reference: "API reference",
    reason: "Reason for your acts",
    owner: "Owner",
    runbook: "Runbook",
    paused: "PAUSED",
    by: "by",
    deletedUser: "a deleted user",
  },
  job: {
    queue: "Queue",
    unknownKind: "A kind of job that this version does not know.",
    reason: "Reason",
    again: "Run it again",
    cancel: "Cancel it",
    outcomeUnknown: "Whether it took effect is unknown: to run it again may have the effect twice.",
    stopRequested: "It has been told to stop.",
    parts: "Parts",
    failedRuns: "Unsuccessful runs",
    none: "None.",
    noSuch: "No such job",
    noSuchWhy: "Finished jobs are removed from the ledger after some time. It has no job",
    allQueues: "All queues",
    rule: "a rule",
    facts: {
      id: "Id",
      entity: "Belongs to",
      actor: "Requested by",
      parent: "Part of",
      request: "Request",
      progress: "Progress",
      failures: "Failures",
      enqueued: "Enqueued",
      readyAt: "Ready at",
      started: "First started",
      ended: "Ended",
      cancelled: "Cancelled",
      error: "Last error",
      result: "Result",
    },
    runs: ["Started", "Ended", "How", "Worker", "Error"],
    newest: ["Newest", "Kind", "Status"],
    states: {
      open: "open",
      running: "running",
      waiting: "waiting",
      succeeded: "succeeded",
      failed: "failed",
      unknown: "unknown",
      cancelled: "cancelled",
    },
    of: "of",
  },
  queues: Object.fromEntries(queueNames.map((name) => [name, queues[name].description])) as Messages["queues"],
};

const ru: Messages = {
  lang: "ru",
  locale: "ru-RU",
  login: {
    title: "Задания",
    who: "Для персонала: сотрудники смотрят, операторы и администраторы управляют.",
    label: "Токен доступа",
    hint: "Вставьте токен сотрудника или администратора",
    button: "Войти",
    refused: "Токен не принят",
  },
  reason: {
    title: "Почему?",
    why: "То, что нельзя вернуть или что касается многих заданий сразу (удаление, опустошение, пауза, повтор всех), требует причины. Она попадёт в журнал аудита с каждым таким действием следующих пятнадцати минут.",
    label: "Причина",
    button: "Продолжить с этой причиной",
    given: "До тех пор действует",
    clear: "Я закончил",
    back: "Все очереди",
  },
  board: {
    title: "Задания",
    readOnly: "Задания (только просмотр)",
    reference: "Справочник API",
    reason: "Причина действий",
    owner: "Отвечает",
    runbook: "Инструкция",
    paused: "ПАУЗА",
    by: "поставил",
    deletedUser: "пользователь, которого больше нет",
  },
  job: {
    queue: "Очередь",
    unknownKind: "Вид задания, которого эта версия не знает.",
    reason: "Причина",
    again: "Выполнить снова",
    cancel: "Отменить",
    outcomeUnknown: "Никто не знает, выполнено ли оно: повтор может сделать то же дважды.",
    stopRequested: "Ему велено остановиться.",
    parts: "Части",
    failedRuns: "Неудачные запуски",
    none: "Нет.",
    noSuch: "Нет такого задания",
    noSuchWhy: "Законченные задания со временем удаляются из реестра. Он не знает задания",
    allQueues: "Все очереди",
    rule: "правило",
    facts: {
      id: "Номер",
      entity: "Относится к",
      actor: "Заказал",
      parent: "Часть",
      request: "Запрос",
      progress: "Сделано",
      failures: "Неудачи",
      enqueued: "Обещано",
      readyAt: "Начать не раньше",
      started: "Начато впервые",
      ended: "Закончено",
      cancelled: "Отменено",
      error: "Последняя ошибка",
      result: "Результат",
    },
    runs: ["Начало", "Конец", "Как", "Работник", "Ошибка"],
    newest: ["Новые", "Вид", "Состояние"],
    states: {
      open: "ждёт",
      running: "выполняется",
      waiting: "ждёт своих частей",
      succeeded: "выполнено",
      failed: "не удалось",
      unknown: "неизвестно",
      cancelled: "отменено",
    },
    of: "из",
  },
  queues: {
    images: "Делает из загруженных фотографий картинки для сайта. Цель: через 3 с после загрузки готово.",
    documents: "Печатает заказы, накладные и прайс-листы. Цель: заказ или накладная через 2 с после запроса.",
    mail: "Отправляет письма, по одному получателю. Цель: у почтового сервера через 30 с после запроса.",
    webhooks: "Сообщает подписчикам, что произошло. Цель: первая попытка через 10 с после события.",
    payments:
      "Списывает, отменяет и возвращает платежи картой у платёжного сервиса и спрашивает его о незавершённых. Цель: через 30 с после запроса.",
    maintenance: "То, чего никто не ждёт: повторы, рассылки по частям, уборка. Цель: в течение часа.",
  },
};

export const languages = { en, ru };

/** In the language that the browser asks for; English otherwise. */
export function messagesFor(req: Request): Messages {
  return req.acceptsLanguages(["en", "ru"]) === "ru" ? ru : en;
}
